/** Offers of shops on connected cards, as values: which are shown, and what the shop is to be told of them. */
import type { Card, Offer } from './model';
import type { MarkKind, Marks } from './store/database';

/** An offer and the card it is on. */
export interface Offered { readonly offer: Offer; readonly card: Card; readonly slug: string }

/** Those that are on now, the soonest to end first, each once however many cards of the shop there are. */
export function offersOn(cards: readonly Card[], muted: readonly string[], now: number): Offered[] {
  const found = new Map<string, Offered>();
  for (const card of cards) {
    const { slug, offers = [] } = card.live ?? { slug: '' };
    for (const offer of muted.includes(slug) ? [] : offers) {
      const place = markPlace(slug, offer);
      if (isOn(offer, now) && !found.has(place)) found.set(place, { offer, card, slug });
    }
  }
  return [...found.values()].sort((one, other) => Date.parse(one.offer.ends_at) - Date.parse(other.offer.ends_at));
}

function isOn({ starts_at, ends_at }: Offer, now: number): boolean {
  return Date.parse(starts_at) <= now && now < Date.parse(ends_at);
}

/** When the shown ones change by themselves: the next that begins or ends. */
export function nextChange(cards: readonly Card[], now: number): number {
  const moments = cards.flatMap(({ live }) => (live?.offers ?? []).flatMap((one) => [one.starts_at, one.ends_at]));
  return Math.min(...moments.map((moment) => Date.parse(moment)).filter((moment) => moment > now));
}

export function markPlace(slug: string, { id }: Pick<Offer, 'id'>): string {
  return `${slug}/${id}`;
}

/** A mark to be told. */
export interface Waiting {
  readonly place: string;
  readonly space: string;
  readonly card: string;
  readonly offer: string;
  readonly kind: MarkKind;
}

/** Marks to be told, of offers that are still there. */
export function waitingIn(all: Marks, cards: readonly Card[]): Waiting[] {
  const cardOf = new Map(places(cards));
  return Object.entries(all).flatMap(([place, kinds]) => {
    const card = cardOf.get(place);
    const waiting = (Object.keys(kinds) as MarkKind[]).filter((kind) => kinds[kind] === 'waiting');
    const offer = place.slice(place.indexOf('/') + 1);
    return card ? waiting.map((kind) => ({ place, space: card.space, card: card.id, offer, kind })) : [];
  });
}

/** The card that each offer is on, by its place. */
export function places(cards: readonly Card[]): [place: string, card: Card][] {
  return cards.flatMap((card) => (card.live?.offers ?? []).map((offer): [string, Card] => (
    [markPlace(card.live!.slug, offer), card]
  )));
}
