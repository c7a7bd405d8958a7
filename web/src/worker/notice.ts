/** What a notice says: the words are chosen here, on the device, so that the server sends none. */
import { daysUntil } from '../ends';
import { NOTICES } from '../messages/notices';
import { OFFER_NOTICES } from '../messages/offer-notices';
import type { Language, Offer } from '../model';

/** `count` cards end soon; `cards` are the first of them, named only where the person wanted it. */
export interface CardsEnd {
  readonly kind: 'cards-end';
  readonly language: Language;
  readonly count: number;
  readonly cards: readonly { readonly id: string; readonly ends: string; readonly name?: string }[];
}

/** A shop's new offer on a card; named only where the person wanted it. */
export interface OfferNotice {
  readonly kind: 'offer';
  readonly language?: Language;
  readonly space: string;
  readonly card: string;
  readonly offer: string;
  /** Whom the shop has chosen it for. */
  readonly why?: Offer['why'];
  readonly name?: string;
  readonly title?: string;
}

interface Shown {
  readonly title: string;
  readonly body: string;
  /** A notice that comes twice takes the place of its former self. */
  readonly tag: string;
  readonly url: string;
}

/** What to show for a notice; one of a later release, which this one cannot read, is at least told. */
export function shown(notice: CardsEnd | OfferNotice | undefined, now = new Date()): Shown {
  if (notice?.kind === 'offer') return offered(notice);
  const first = notice?.kind === 'cards-end' ? notice.cards[0] : undefined;
  if (!notice || !first) return { title: 'Карман', body: '', tag: 'news', url: '/' };
  const said = NOTICES[notice.language] ?? NOTICES.en;
  const days = Math.max(0, daysUntil(first.ends, now));
  const tag = `ends-${first.id}-${first.ends}`;
  if (notice.count === 1) return { title: said.cardEnds(days, first.name), body: '', tag, url: `/c/${first.id}` };
  const names = notice.cards.flatMap(({ name }) => (name ? [name] : []));
  const body = names.length ? said.names(names, notice.count - names.length) : '';
  return { title: said.cardsEnd(notice.count, days), body, tag, url: '/' };
}

function offered({ language, card, offer, name, title, why = 'all' }: OfferNotice): Shown {
  const said = OFFER_NOTICES[language ?? (navigator.language.startsWith('ru') ? 'ru' : 'en')] ?? OFFER_NOTICES.en;
  const heading = title && name ? `${name}: ${title}` : said.offer(name);
  return { title: heading, body: said.why[why] ?? said.why.all, tag: `offer-${card}-${offer}`, url: `/c/${card}` };
}
