/** The wallet as a phone book: both alphabets, the chosen language's first, `#` for everything else at the end. */
import { unmarked } from './normal';
import type { Card, Language } from './model';

export interface Section {
  readonly letter: string;
  readonly cards: readonly Card[];
}

const OTHERS = '#';

const collators = new Map<Language, Intl.Collator>();

/** The letter a name stands under: upper case, Ё under Е, Latin letters without diacritics; `#` for all else. */
export function letterOf(name: string): string {
  const first = unmarked(name.replace(/^[^\p{L}\p{N}]+/u, '')).charAt(0).toUpperCase();
  return /^[A-ZА-Я]$/.test(first) ? first : OTHERS;
}

/** Sections that have cards, in the order of the phone book, each in the order of the language. */
export function sections(cards: readonly Card[], language: Language): readonly Section[] {
  const byLetter = new Map<string, Card[]>();
  for (const card of cards) {
    const letter = letterOf(card.name);
    const section = byLetter.get(letter);
    if (section) section.push(card);
    else byLetter.set(letter, [card]);
  }
  const letters = [...byLetter.keys()].sort((one, other) => rank(one, language) - rank(other, language));
  return letters.map((letter) => ({ letter, cards: sorted(byLetter.get(letter)!, language) }));
}

/** Cards by name in the order of the language; equal names keep the order of their making. */
export function sorted(cards: readonly Card[], language: Language): readonly Card[] {
  if (cards.length < 2) return cards;
  const { compare } = collatorOf(language);
  return [...cards].sort((one, other) => compare(one.name, other.name) || (one.id < other.id ? -1 : 1));
}

/** Made when there is something to put in order: making one takes longer than all else that a start evaluates. */
function collatorOf(language: Language): Intl.Collator {
  const known = collators.get(language) ?? new Intl.Collator(language, { sensitivity: 'base', numeric: true });
  collators.set(language, known);
  return known;
}

/** Cards shown at a till lately, the latest first; archived ones left out. */
export function recent(cards: readonly Card[], limit = 8): readonly Card[] {
  const used = cards.filter((card) => card.last_used_at && !card.archived);
  return used.sort((one, other) => timeOf(other) - timeOf(one)).slice(0, limit);
}

/** Favourites in the order of the phone book. */
export function favourites(cards: readonly Card[], language: Language): readonly Card[] {
  const chosen = cards.filter((card) => card.favourite && !card.archived);
  return sections(chosen, language).flatMap((section) => section.cards);
}

function timeOf(card: Card): number {
  return Date.parse(card.last_used_at ?? '') || 0;
}

function rank(letter: string, language: Language): number {
  if (letter === OTHERS) return Infinity;
  const isForeign = /[А-Я]/.test(letter) !== (language === 'ru');
  return letter.codePointAt(0)! + (isForeign ? 0x10000 : 0);
}
