/**
 * Finding a card as one types: every word must be somewhere in it. Digits are found through spaces and dashes, but only
 * as they stand; words also in the other alphabet, on the other keyboard layout, and with a slip or two.
 */
import { sorted } from './alphabet';
import type { Card, Language } from './model';
import {
  BEGINS, INSIDE, loosePlace, nameKey, NOWHERE, readings, slipsTo, textKey, WHOLE, WORD,
  type Key, type Probe, type Reading,
} from './near';
import { unmarked } from './normal';

/** Other names of a card's shop, where the device knows any. */
export type OtherNames = (merchant: string) => readonly Key[];

/**
 * The cards that match: first those whose name begins with the query, then those with a word that does, those that hold
 * it elsewhere, and forgiving matches; equals by name, archived ones last. An empty query matches all and keeps their
 * order.
 */
export function search(
  cards: readonly Card[], query: string, language: Language, otherNames: OtherNames = () => [],
): readonly Card[] {
  const wanted = unmarked(query.trim().slice(0, LONGEST));
  if (!wanted) return cards;
  const asked = HAS_LETTER.test(wanted) ? readings(query.slice(0, LONGEST)) : [];
  const searched = cards.map((card): Searched => {
    const known = haystack(card);
    return { ...known, card, names: [known.nameKey, ...(card.merchant ? otherNames(card.merchant) : [])] };
  });
  const ranks = new Map(searched.map((one) => [one.card, rankOf(one, wanted, asked)]));
  if (![...ranks.values()].some(isBegun)) addSlips(ranks, searched, asked);
  const order = (card: Card): number => (card.archived ? ARCHIVED : 0) + ranks.get(card)!;
  const found = byName(cards, language).filter((card) => ranks.get(card)! < NOT_FOUND);
  return found.sort((one, other) => order(one) - order(other));
}

const inOrder = new WeakMap<readonly Card[], { language: Language; cards: readonly Card[] }>();

/** Comparing names as a language does is slow: done once for as long as the wallet does not change. */
function byName(cards: readonly Card[], language: Language): readonly Card[] {
  const known = inOrder.get(cards);
  if (known?.language === language) return known.cards;
  const made = { language, cards: sorted(cards, language) };
  inOrder.set(cards, made);
  return made.cards;
}

/** Does beforehand what the first letter typed would have to wait for. */
export function prepareSearch(cards: readonly Card[], language: Language): void {
  byName(cards, language).forEach(haystack);
}

const HAS_LETTER = /\p{L}/u;

/** Longer than any name, number or note that is remembered by heart; what is pasted by mistake must not freeze the page. */
const LONGEST = 100;

/** Ranks: as typed; from 3 on where a forgiving reading stands; from 7 on by slips. */
const ELSEWHERE = 2;
const FORGIVEN = 3;
const SLIPPED = FORGIVEN + NOWHERE;
const ARCHIVED = 100;
const NOT_FOUND = Infinity;

function rankOf(one: Searched, wanted: string, asked: readonly Reading[]): number {
  const exact = exactRank(one, wanted);
  if (exact < NOT_FOUND) return exact;
  const standing = Math.min(NOWHERE, ...asked.map((reading) => standingOf(one, reading)));
  return standing < NOWHERE ? FORGIVEN + standing : NOT_FOUND;
}

/** Whether a name begins so, at one of its words: then nobody is taken to have mistyped. */
function isBegun(rank: number): boolean {
  return rank < ELSEWHERE || (rank >= FORGIVEN && rank <= FORGIVEN + WORD);
}

// ---------------------------------------------------------------- as typed

function exactRank({ name, nameWords, bareName, text, digits }: Searched, wanted: string): number {
  const found = (word: string): boolean => text.includes(word) || isInNumber(digits, compact(word));
  // A number typed in groups, as printed, is one number and not several words.
  const bare = withoutSigns(wanted);
  const isInName = bare.length > 1 && bareName.includes(bare);
  if (!wanted.split(/\s+/).every(found) && !isInNumber(digits, compact(wanted)) && !isInName) return NOT_FOUND;
  if (name.startsWith(wanted) || (isInName && bareName.startsWith(bare))) return WHOLE;
  return nameWords.some((word) => word.startsWith(wanted)) ? BEGINS : ELSEWHERE;
}

function isInNumber(digits: string, part: string): boolean {
  return /\d/.test(part) && digits.includes(part);
}

/** «36,6» is typed as 36.6 and as 366, too. */
function withoutSigns(text: string): string {
  return text.replace(/[^\p{L}\p{N}]+/gu, '');
}

/** Without what numbers are printed in groups with. */
function compact(text: string): string {
  return text.replace(/[\s\-–—]+/g, '');
}

// ---------------------------------------------------------------- forgiving

function standingOf(one: Searched, { whole, words }: Reading): number {
  const standing = Math.min(NOWHERE, ...one.names.map((name) => loosePlace(whole, name)));
  if (words.length === 1 && standing <= INSIDE) return standing;
  return Math.min(standing, Math.max(...words.map((word) => wordStanding(one, word))));
}

function wordStanding(one: Searched, word: Probe): number {
  if (word.digits) return one.digits.includes(word.own) || one.text.includes(word.own) ? WHOLE : NOWHERE;
  const inName = Math.min(NOWHERE, ...one.names.map((name) => loosePlace(word, name)));
  return inName < NOWHERE || loosePlace(word, one.rest) > WORD ? inName : INSIDE;
}

/** Adds the cards with the fewest slips, and only those: a second guess would be a guess too many. */
function addSlips(ranks: Map<Card, number>, searched: readonly Searched[], asked: readonly Reading[]): void {
  const missed = searched.filter(({ card }) => ranks.get(card) === NOT_FOUND);
  const counted = missed.map((one) => ({ one, count: Math.min(...asked.map((reading) => slipsIn(one, reading))) }));
  const fewest = Math.min(...counted.map(({ count }) => count));
  for (const { one, count } of counted) if (count === fewest) ranks.set(one.card, SLIPPED + count);
}

function slipsIn(one: Searched, { whole, words }: Reading): number {
  const inName = Math.min(...one.names.map((name) => slipsTo(whole, name)));
  if (words.length === 1 && inName < NOT_FOUND) return inName;
  const each = words.map((word) => (wordStanding(one, word) < NOWHERE ? 0 : slipsInWord(one, word)));
  return Math.min(inName, each.reduce((sum, count) => sum + count, 0));
}

function slipsInWord({ names, rest }: Searched, word: Probe): number {
  return Math.min(...names.map((name) => slipsTo(word, name)), slipsTo(word, rest));
}

// ---------------------------------------------------------------- what is searched

/** What is searched of one card, prepared once for as long as the card does not change. */
interface Haystack {
  readonly name: string;
  readonly nameWords: readonly string[];
  /** The name without blanks and signs. */
  readonly bareName: string;
  readonly nameKey: Key;
  readonly text: string;
  readonly digits: string;
  readonly rest: Key;
}

interface Searched extends Haystack {
  readonly card: Card;
  /** The card's own name, then what else its shop is called. */
  readonly names: readonly Key[];
}

const prepared = new WeakMap<Card, Haystack>();

function haystack(card: Card): Haystack {
  const known = prepared.get(card);
  if (known) return known;
  const made = prepare(card);
  prepared.set(card, made);
  return made;
}

function prepare(card: Card): Haystack {
  const numbers = [card.number, ...card.codes.map((code) => code.text)].filter((number) => number !== undefined);
  const fields = [card.name, card.note, card.group, ...numbers].filter((field) => field !== undefined);
  const name = unmarked(card.name);
  return {
    name,
    nameWords: name.split(/[^\p{L}\p{N}]+/u),
    bareName: withoutSigns(name),
    nameKey: nameKey(card.name),
    text: unmarked(fields.join('\n')),
    digits: numbers.map((number) => compact(unmarked(number))).join('|'),
    rest: textKey(`${card.note ?? ''} ${card.group ?? ''}`),
  };
}
