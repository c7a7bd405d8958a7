/** What a notice of a shop's offer says: apart, since only the service worker says it. */
import type { Language } from '../model';

export interface OfferNoticeWords {
  /** About a new offer on a card, named or not. */
  readonly offer: (name?: string) => string;
  /** Why it came. */
  readonly why: string;
}

const ru: OfferNoticeWords = {
  offer: (name) => (name ? `${name}: новое предложение` : 'Новое предложение по одной из ваших карт'),
  why: 'Вы просили сообщать о предложениях. Выключить это можно в настройках.',
};

const en: OfferNoticeWords = {
  offer: (name) => (name ? `${name}: a new offer` : 'A new offer on one of your cards'),
  why: 'You asked to hear of offers. You can turn this off in the settings.',
};

export const OFFER_NOTICES: Readonly<Record<Language, OfferNoticeWords>> = { ru, en };
