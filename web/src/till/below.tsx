/** Everything below the code: balance, days, notes, photos, and the neighbouring cards. */
import { endsSoon } from '../ends';
import { Icon } from '../icons';
import { amount, balanceText, day, words } from '../messages';
import { NOTICES } from '../messages/notices';
import type { Card } from '../model';
import { part } from '../screens/lazy';
import { language, mayEdit } from '../wallet';
import { Photo } from './photo';

const LinkOffer = part(() => import('./link').then((module) => module.LinkOffer));
const Live = part(() => import('./live').then((module) => module.Live));

interface BelowProps { readonly card: Card; readonly previous: Card | undefined; readonly next: Card | undefined }

export function Below({ card, previous, next }: BelowProps) {
  return (
    <div class="stack">
      <Balance card={card} />
      {(card.live || card.merchant) && <Live card={card} />}
      <Days card={card} />
      <Facts card={card} />
      {!card.merchant && mayEdit(card) && <LinkOffer card={card} />}
      <Photos card={card} />
      {(previous ?? next) && <Neighbours previous={previous} next={next} />}
    </div>
  );
}

/** What the shop says takes the place of what was typed in. */
function Balance({ card: { live, balance } }: { readonly card: Card }) {
  if (live?.balance) {
    return (
      <p class="till-balance numbers" data-testid="live-balance">
        <span class="live">{amount(live.unit, live.balance.main)}</span>
      </p>
    );
  }
  return balance ? <p class="till-balance numbers">{balanceText(balance)}</p> : null;
}

function Days({ card }: { readonly card: Card }) {
  const { till } = words();
  const today = todayText();
  const left = endsSoon(card);
  const expired = card.expires_on !== undefined && card.expires_on < today;
  return (
    <>
      {card.valid_from && card.valid_from > today && <p class="till-days soft">{till.from(day(card.valid_from))}</p>}
      {card.expires_on && (
        <p class={`till-days ${expired ? 'fault' : 'soft'}`}>
          {(expired ? till.expired : till.until)(day(card.expires_on))}
          {left !== undefined && <strong>{`, ${NOTICES[language.value].left(left)}`}</strong>}
        </p>
      )}
    </>
  );
}

/** Today in the person's own time zone, as `YYYY-MM-DD`. */
export function todayText(now = new Date()): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function Facts({ card }: { readonly card: Card }) {
  const { till } = words();
  const facts: [label: string, value: string | undefined][] = [
    [till.pin, card.pin], [till.note, card.note], [till.group, card.group],
  ];
  if (!facts.some(([, value]) => value)) return null;
  return (
    <dl class="facts till-more">
      {facts.map(([label, value]) => value && <div key={label}><dt>{label}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}

function Photos({ card }: { readonly card: Card }) {
  const { till } = words();
  if (!card.front && !card.back) return null;
  return (
    <section class="photos till-more" aria-label={till.photos}>
      {card.front && <Photo id={card.front} label={till.front} />}
      {card.back && <Photo id={card.back} label={till.back} />}
    </section>
  );
}

function Neighbours({ previous, next }: Omit<BelowProps, 'card'>) {
  const { till } = words();
  return (
    <nav class="neighbours" aria-label={till.neighbours}>
      {previous
        ? <a class="button" href={`/c/${previous.id}`} data-replace><Icon name="back" /><span>{previous.name}</span></a>
        : <span />}
      {next
        ? <a class="button" href={`/c/${next.id}`} data-replace><span>{next.name}</span><Icon name="forward" /></a>
        : <span />}
    </nav>
  );
}
