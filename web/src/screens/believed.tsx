/**
 * What was understood of the photo, how sure that is and why, in words; shops that are not certain are offered, never
 * filled in by themselves.
 */
import { ApiProblem, Offline } from '../api';
import type { Asked, Inquiry } from '../capture/asking';
import { keyOf, type Capture, type FoundCode } from '../capture/capture';
import { captureWords } from '../capture/words';
import { Preview } from '../codes/preview';
import { FORMAT_NAMES } from '../codes/formats';
import { percent, voice, words } from '../messages';
import type { Draft, DraftMerchant } from '../model';
import { back } from '../router';
import { onceEach, plausible } from '../shops';
import type { Change, NewCard } from './confirm';
import { SideInput } from './photo-choice';
import { whyBelieved, whyOffered } from './reasons';
import { Steps } from './steps';

interface BelievedProps {
  readonly capture: Capture;
  readonly card: NewCard;
  readonly draft: Draft | undefined;
  readonly onChange: Change;
  readonly onAdd: (file: File) => void;
}

export function Believed({ capture, card, draft, onChange, onAdd }: BelievedProps) {
  if (capture.source === 'typed') return null;
  const asked = capture.inquiry?.now.value;
  return (
    <div class="stack">
      {card.read && <ReadCode capture={capture} card={card} onChange={onChange} />}
      {!card.read && !capture.codes.length && <Unread capture={capture} asked={asked} onAdd={onAdd} />}
      <ShopSaid inquiry={capture.inquiry} card={card} />
      {asked?.state === 'asking' && <Steps asked={asked} />}
      {draft && <Shops shops={likely(draft)} card={card} onChange={onChange} />}
    </div>
  );
}

function ReadCode({ capture, card, onChange }: Omit<BelievedProps, 'draft' | 'onAdd'>) {
  const { confirm } = words();
  const code = card.read!;
  const found = capture.codes.find((one) => keyOf(one) === keyOf(code));
  return (
    <div>
      <Preview code={code} />
      <p class="small numbers code-said" role="status">{FORMAT_NAMES[code.format]} · {shortened(code.text)}</p>
      {found?.byServer && <p class="small soft">{howRead(found)}</p>}
      <button type="button" class="link" data-testid="correct"
        onClick={() => onChange({ read: undefined, typed: code.text, format: code.format })}>
        {confirm.correct}
      </button>
    </div>
  );
}

const LONGEST_SHOWN = 60;

function shortened(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** How sure the server was: its reading is the one worth comparing with the card. */
function howRead({ confidence }: FoundCode): string {
  const { confirm } = words();
  return `${confirm.readThere} · ${confirm.sure(percent(confidence))}`;
}

interface UnreadProps {
  readonly capture: Capture;
  readonly asked: Asked | undefined;
  readonly onAdd: (file: File) => void;
}

/** Once everybody has looked in vain: most cards carry their code on the other side. */
function Unread({ capture, asked, onAdd }: UnreadProps) {
  const { confirm } = words();
  if (asked?.state === 'asking' && !asked.known.done.includes('barcodes')) return null;
  const offline = asked?.state === 'failed' && !asked.known.done.includes('barcodes');
  return (
    <div class="note-box" role="status">
      <div>
        <p>{offline ? confirm.unreadableOffline : confirm.unreadable}</p>
        {capture.photos.length === 1 && (
          <label class="link side-link">{captureWords().otherSide}<SideInput name="other-side" onAdd={onAdd} /></label>
        )}
        <button type="button" class="link" onClick={back}>{confirm.retake}</button>
      </div>
    </div>
  );
}

interface ShopSaidProps { readonly inquiry: Inquiry | undefined; readonly card: NewCard }

/** Where the photo went, and what came of it. */
function ShopSaid({ inquiry, card }: ShopSaidProps) {
  const asked = inquiry?.now.value;
  const mayAsk = asked?.state === 'failed' && !isHopeless(asked.error);
  return (
    <div>
      <p class="small soft said" role="status">{asked && shopSentence(asked, card)}</p>
      {mayAsk && (
        <button type="button" class="link" data-testid="ask-again" onClick={inquiry?.again}>
          {captureWords().askAgain}
        </button>
      )}
    </div>
  );
}

/** Asked again, the server would say the same. */
function isHopeless(error: unknown): boolean {
  return error instanceof ApiProblem && error.status < 500 && error.status !== 429;
}

function shopSentence(asked: Asked, { shop }: NewCard): string | undefined {
  const { confirm } = words();
  if (asked.state === 'asking') {
    return asked.waitS === undefined ? confirm.askingShop : captureWords().serverWaits(asked.waitS);
  }
  const believed = shop.believed && asked.state === 'answered' ? asked.draft.merchants[0] : undefined;
  if (believed) return confirm.believed(believed.name, whyBelieved(voice(), believed));
  if (asked.state === 'failed') return failureSentence(asked, shop.name);
  return shop.name || likely(asked.draft).length ? undefined : confirm.shopUnknown;
}

function failureSentence({ error, known }: Extract<Asked, { state: 'failed' }>, shop: string): string | undefined {
  const { confirm } = words();
  if (error instanceof Offline && known.done.length) return captureWords().brokenOff;
  if (shop) return undefined;
  if (error instanceof Offline) return confirm.shopOffline;
  return error instanceof ApiProblem && error.status >= 500 ? confirm.serverBusy : confirm.shopUnknown;
}

/** Shops worth a look: what the server itself calls unlikely is not shown. */
function likely({ verdict, merchants }: Draft): readonly DraftMerchant[] {
  return verdict === 'unknown' ? [] : merchants;
}

interface ShopsProps { readonly shops: readonly DraftMerchant[]; readonly card: NewCard; readonly onChange: Change }

const MOST_OFFERED = 5;

/** Offered beside the one that was filled in, and it as well once the person has turned to another. */
function Shops({ shops, card, onChange }: ShopsProps) {
  const { confirm } = words();
  const { believed, merchant } = card.shop;
  const others = believed ? plausible(shops).filter(({ slug }) => slug !== merchant) : onceEach(shops);
  const offered = others.slice(0, MOST_OFFERED);
  if (!offered.length) return null;
  return (
    <div class="offered">
      <p class="small soft" id="offered">{believed ? confirm.orElse : confirm.shopSuggestions}</p>
      <div class="chips" role="group" aria-labelledby="offered">
        {offered.map((shop) => <Offer key={shop.slug} shop={shop} card={card} onChange={onChange} />)}
      </div>
    </div>
  );
}

interface OfferProps { readonly shop: DraftMerchant; readonly card: NewCard; readonly onChange: Change }

function Offer({ shop, card, onChange }: OfferProps) {
  const why = whyOffered(voice(), shop);
  return (
    <button type="button" class="chip" data-testid="candidate" aria-pressed={card.shop.merchant === shop.slug}
      onClick={() => onChange({ shop: { name: shop.name, merchant: shop.slug } })}>
      {shop.name}{why && <small>{why}</small>}
    </button>
  );
}
