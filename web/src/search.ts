/** Finding a card as one types: every word must be somewhere in it; digits are found through spaces and dashes. */
import { sorted } from './alphabet';
import { compact, fold } from './fold';
import type { Card, Language } from './model';

/** What is searched of one card, prepared once for as long as the card does not change. */
interface Haystack {
  readonly text: string;
  readonly digits: string;
}

const prepared = new WeakMap<Card, Haystack>();

/**
 * The cards that match: first those whose name begins with the query, then those with a word that does, then the rest,
 * each by name; archived ones last. An empty query matches all and keeps their order.
 */
export function search(cards: readonly Card[], query: string, language: Language): readonly Card[] {
  const wanted = fold(query.trim());
  if (!wanted) return cards;
  const place = (card: Card): number => (card.archived ? ARCHIVED : 0) + rankOf(fold(card.name), wanted);
  return sorted(matching(cards, query), language)
    .map((card) => ({ card, at: place(card) }))
    .sort((one, other) => one.at - other.at)
    .map(({ card }) => card);
}

const ARCHIVED = 3;

function rankOf(name: string, wanted: string): number {
  if (name.startsWith(wanted)) return 0;
  return name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)) ? 1 : 2;
}

function matching(cards: readonly Card[], query: string): readonly Card[] {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const whole = compact(fold(query));
  return cards.filter((card) => {
    const { text, digits } = haystack(card);
    const found = (word: string): boolean => text.includes(word) || isInNumber(digits, compact(word));
    // A number typed in groups, as printed, is one number and not several words.
    return words.every(found) || isInNumber(digits, whole);
  });
}

function isInNumber(digits: string, part: string): boolean {
  return /\d/.test(part) && digits.includes(part);
}

function haystack(card: Card): Haystack {
  const known = prepared.get(card);
  if (known) return known;
  const numbers = [card.number, ...card.codes.map((code) => code.text)].filter((number) => number !== undefined);
  const fields = [card.name, card.note, card.group, ...numbers].filter((field) => field !== undefined);
  const made = { text: fold(fields.join('\n')), digits: numbers.map((number) => compact(fold(number))).join('|') };
  prepared.set(card, made);
  return made;
}
