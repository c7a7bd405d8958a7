/**
 * What was understood of the photo, how sure that is and why, in words; shops are offered, never filled in by
 * themselves.
 */
import type { Asked, Capture } from '../capture/capture';
import { ApiProblem, Offline } from '../api';
import { Preview } from '../codes/preview';
import { FORMAT_NAMES } from '../codes/formats';
import { percent, reasonsText, words } from '../messages';
import type { CodeReading, Draft, DraftMerchant } from '../model';
import { back } from '../router';
import type { Change, NewCard } from './confirm';

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
      <ShopSaid asked={capture.asked?.value} named={Boolean(card.shop.name)} />
      {draft && draft.merchants.length > 0 && <Shops shops={draft.merchants} card={card} onChange={onChange} />}
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
function ShopSaid({ asked, named }: { readonly asked: Asked | undefined; readonly named: boolean }) {
  const said = asked && shopSentence(asked, named);
  return <p class="small soft said" role="status">{said}</p>;
}

function shopSentence(asked: Asked, named: boolean): string | undefined {
  const { confirm } = words();
  if (asked.state === 'asking') return confirm.askingShop;
  if (named) return undefined;
  if (asked.state === 'answered') return asked.draft.merchants.length ? undefined : confirm.shopUnknown;
  if (asked.error instanceof Offline) return confirm.shopOffline;
  return asked.error instanceof ApiProblem && asked.error.status >= 500 ? confirm.serverBusy : confirm.shopUnknown;
}

interface ShopsProps { readonly shops: readonly DraftMerchant[]; readonly card: NewCard; readonly onChange: Change }

function Shops({ shops, card, onChange }: ShopsProps) {
  const { confirm } = words();
  return (
    <div class="chips" role="group" aria-label={confirm.shopSuggestions}>
      {shops.map((shop) => (
        <button key={shop.slug} type="button" class="chip" data-testid="candidate"
          aria-pressed={card.shop.merchant === shop.slug}
          onClick={() => onChange({ shop: { name: shop.name, merchant: shop.slug } })}>
          {shop.name}
          <small>{[reasonsText(shop.reasons), confirm.sure(percent(shop.score))].filter(Boolean).join(' · ')}</small>
        </button>
      ))}
    </div>
  );
}
