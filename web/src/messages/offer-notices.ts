/** What a notice of a shop's offer says: apart, since only the service worker says it. */
import type { Language, Offer } from '../model';

export interface OfferNoticeWords {
  /** About a new offer on a card, named or not. */
  readonly offer: (name?: string) => string;
  /** Why it came, by whom the shop has chosen it for. */
  readonly why: Readonly<Record<Offer['why'], string>>;
}

const ru: OfferNoticeWords = {
  offer: (name) => (name ? `${name}: новое предложение` : 'Новое предложение по одной из ваших карт'),
  why: {
    all: 'Вы просили сообщать о предложениях. Выключить это можно в настройках.',
    tier: 'Это для карт вашего уровня, а вы просили сообщать о предложениях. Выключить это можно в настройках.',
    number: 'Магазин выбрал вашу карту, а вы просили сообщать о предложениях. Выключить это можно в настройках.',
  },
};

const en: OfferNoticeWords = {
  offer: (name) => (name ? `${name}: a new offer` : 'A new offer on one of your cards'),
  why: {
    all: 'You asked to hear of offers. You can turn this off in the settings.',
    tier: 'It is for cards of your tier, and you asked to hear of offers. You can turn this off in the settings.',
    number: 'The shop chose your card, and you asked to hear of offers. You can turn this off in the settings.',
  },
};

export const OFFER_NOTICES: Readonly<Record<Language, OfferNoticeWords>> = { ru, en };
