/** A card in the list and in the strips of favourites and recent ones. */
import { endsSoon } from '../ends';
import { Icon } from '../icons';
import { amount, balanceText, words } from '../messages';
import { NOTICES } from '../messages/notices';
import type { Card } from '../model';
import { path } from '../router';
import { Tile, tint } from '../tile';
import { language } from '../wallet';
import { SharedMark } from './pockets';

export function CardRow({ card }: { readonly card: Card }) {
  return (
    <a class="row" href={`/c/${card.id}`} data-testid="card-row" data-card={card.id}
      aria-current={current(card) ? 'page' : undefined}>
      <Tile card={card} />
      <span class="row-text"><span class="row-name">{card.name}</span><Ends card={card} /></span>
      <SharedMark card={card} />
      {card.favourite && <Icon name="star" filled />}
      <RowEnd card={card} />
    </a>
  );
}

function current(card: Card): boolean {
  return path.value === `/c/${card.id}` || path.value.startsWith(`/c/${card.id}/`);
}

/** Said of cards that end soon. */
function Ends({ card }: { readonly card: Card }) {
  const days = endsSoon(card);
  if (days === undefined) return null;
  return <small class="row-ends tiny" data-testid="row-ends">{NOTICES[language.value].ends(days)}</small>;
}

function RowEnd({ card }: { readonly card: Card }) {
  const { live } = card;
  if (live?.balance) {
    return (
      <span class="row-end numbers">
        <span class="live">{amount(live.unit, live.balance.main)}</span>
        <span class="unseen">{words().wallet.fromShop}</span>
      </span>
    );
  }
  if (card.balance) return <span class="row-end numbers">{balanceText(card.balance)}</span>;
  const digits = lastFour(card);
  if (!digits) return null;
  return (
    <span class="row-end numbers">
      <span aria-hidden="true">{`•• ${digits}`}</span>
      <span class="unseen">{words().wallet.endsIn(digits)}</span>
    </span>
  );
}

/** The last four characters of what tells this card from others. */
export function lastFour(card: Pick<Card, 'number' | 'codes'>): string {
  const known = card.number ?? card.codes[0]?.text ?? '';
  return known.replace(/[^\p{L}\p{N}]/gu, '').slice(-4);
}

export function Strip({ title, cards }: { readonly title: string; readonly cards: readonly Card[] }) {
  return (
    <section class="strip" aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {cards.map((card) => (
          <li key={card.id}>
            <a class="mini" href={`/c/${card.id}`} style={tint(card)}><span>{card.name}</span></a>
          </li>
        ))}
      </ul>
    </section>
  );
}
