/** What is said of a card that ends soon, in the app and in notices: apart, since the service worker says it too. */
import type { Language } from '../model';
import { plural } from './plural';

export interface NoticeWords {
  /** How long a card is still good for: `days` of 0 is its last day. */
  readonly ends: (days: number) => string;
  /** The same beside the date. */
  readonly left: (days: number) => string;
  /** A notice about one card, named or not. */
  readonly cardEnds: (days: number, name?: string) => string;
  /** A notice about several cards, the first of which ends in so many days. */
  readonly cardsEnd: (count: number, days: number) => string;
  /** The names of several cards, the first few, then how many more. */
  readonly names: (names: readonly string[], more: number) => string;
}

const ruDays = (n: number) => `${n} ${plural('ru', n, { one: 'день', few: 'дня', many: 'дней', other: 'дня' })}`;
const ruEnds = (days: number) =>
  days === 0 ? 'срок кончается сегодня' : days === 1 ? 'срок кончается завтра' : `срок кончается через ${ruDays(days)}`;
const ruFirst = (days: number) => (days === 0 ? 'сегодня' : days === 1 ? 'завтра' : `через ${ruDays(days)}`);

const ru: NoticeWords = {
  ends: ruEnds,
  left: (days) =>
    days === 0 ? 'последний день'
      : `${plural('ru', days, { one: 'остался', other: 'осталось' })} ${ruDays(days)}`,
  cardEnds: (days, name) => (name ? `${name}: ${ruEnds(days)}` : `У одной из карт ${ruEnds(days)}`),
  cardsEnd: (count, days) =>
    `Скоро кончится срок ${count} ${plural('ru', count, { one: 'карты', other: 'карт' })}, ближайший ${ruFirst(days)}`,
  names: (names, more) => names.join(', ') + (more ? ` и ещё ${more}` : ''),
};

const enDays = (days: number) => (days === 0 ? 'today' : days === 1 ? 'tomorrow' : `in ${days} days`);

const en: NoticeWords = {
  ends: (days) => `ends ${enDays(days)}`,
  left: (days) => (days === 0 ? 'its last day' : `${days} ${plural('en', days, { one: 'day', other: 'days' })} left`),
  cardEnds: (days, name) => `${name ?? 'A card'} ends ${enDays(days)}`,
  cardsEnd: (count, days) => `${count} cards end soon, the first ${enDays(days)}`,
  names: (names, more) => names.join(', ') + (more ? ` and ${more} more` : ''),
};

export const NOTICES: Readonly<Record<Language, NoticeWords>> = { ru, en };
