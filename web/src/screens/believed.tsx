/**
 * What was understood of the photo, how sure that is and why, in words; shops that are not certain are offered, never
 * filled in by themselves.
 */
import type { Asked, Capture } from '../capture/capture';
import { ApiProblem, Offline } from '../api';
import { Preview } from '../codes/preview';
import { FORMAT_NAMES } from '../codes/formats';
import { percent, voice, words } from '../messages';
import type { CodeReading, Draft, DraftMerchant } from '../model';
import { back } from '../router';
import { onceEach, plausible } from '../shops';
import type { Change, NewCard } from './confirm';
import { whyBelieved, whyOffered } from './reasons';

interface BelievedProps {
  readonly capture: Capture;
  readonly card: NewCard;
  readonly draft: Draft | undefined;
  readonly onChange: Change;
}

export function Believed({ capture, card, draft, onChange }: BelievedProps) {
  if (capture.source === 'typed') return null;
  return (
    <div class="stack">
      {card.read && <ReadCode capture={capture} card={card} onChange={onChange} />}
      {capture.source === 'none' && !card.read && <Unread asked={capture.asked?.value} />}
      <ShopSaid asked={capture.asked?.value} card={card} />
      {draft && <Shops shops={likely(draft)} card={card} onChange={onChange} />}
    </div>
  );
}

function ReadCode({ capture, card, onChange }: Omit<BelievedProps, 'draft'>) {
  const { confirm } = words();
  const code = card.read!;
  return (
    <div>
      <Preview code={code} />
      <p class="small numbers code-said" role="status">{FORMAT_NAMES[code.format]} · {shortened(code.text)}</p>
      {capture.source === 'server' && <p class="small soft">{howRead(capture)}</p>}
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
function howRead({ codes }: Capture): string {
  const { confirm } = words();
  const { confidence } = codes[0] as CodeReading;
  return `${confirm.readThere} ${confirm.sure(percent(confidence))}`;
}

function Unread({ asked }: { readonly asked: Asked | undefined }) {
  const { confirm } = words();
  const offline = asked?.state === 'failed';
  return (
    <div class="note-box" role="status">
      <div>
        <p>{offline ? confirm.unreadableOffline : confirm.unreadable}</p>
        <button type="button" class="link" onClick={back}>{confirm.retake}</button>
      </div>
    </div>
  );
}

/** Where the photo went, and what came of it. */
function ShopSaid({ asked, card }: { readonly asked: Asked | undefined; readonly card: NewCard }) {
  const said = asked && shopSentence(asked, card);
  return <p class="small soft said" role="status">{said}</p>;
}

function shopSentence(asked: Asked, { shop }: NewCard): string | undefined {
  const { confirm } = words();
  if (asked.state === 'asking') return confirm.askingShop;
  const believed = shop.believed && asked.state === 'answered' ? asked.draft.merchants[0] : undefined;
  if (believed) return confirm.believed(believed.name, whyBelieved(voice(), believed));
  if (shop.name) return undefined;
  if (asked.state === 'answered') return likely(asked.draft).length ? undefined : confirm.shopUnknown;
  if (asked.error instanceof Offline) return confirm.shopOffline;
  return asked.error instanceof ApiProblem && asked.error.status >= 500 ? confirm.serverBusy : confirm.shopUnknown;
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
