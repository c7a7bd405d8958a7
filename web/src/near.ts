/** How near a name is to what somebody typed: in its own letters, in the other alphabet or layout, or a slip away. */
import { fold, latin, otherLayout, plain, repairs, unmarked } from './normal';
import { lettersOf, slips, typed, type Typed } from './slips';

/** A word of a text, or the rest of a name from one of its words on, in the spellings that are compared. */
interface Head {
  readonly own: string;
  readonly latin: string;
  readonly sound: string;
  readonly ownLetters: number;
  readonly soundLetters: number;
}

/** A text as it is compared. */
export type Key = readonly Head[];

/** A name: what is typed may begin it at any of its words, with or without the spaces. */
export function nameKey(name: string): Key {
  const words = wordsOf(name);
  const spelt = words.map(latin);
  return words.map((_word, at) => headOf(words.slice(at).join(''), spelt.slice(at).join('')));
}

/** A longer text, such as a note, by its single words. */
export function textKey(text: string): Key {
  return [...new Set(wordsOf(text))].map((word) => headOf(word));
}

/** A name in Latin letters without spaces: the same for two that are only written otherwise. */
export function squashed(name: string): string {
  return latin(wordsOf(name).join(' ')).replaceAll(' ', '');
}

function wordsOf(text: string): string[] {
  return unmarked(plain(text)).split(' ').filter(Boolean);
}

function headOf(own: string, spelt = latin(own)): Head {
  const sound = fold(spelt);
  return { own, latin: spelt, sound, ownLetters: lettersOf(own), soundLetters: lettersOf(sound) };
}

/** What was typed, or one word of it, without spaces. */
export interface Probe extends Head {
  readonly digits: boolean;
  readonly byLetter: Typed;
  readonly bySound: Typed;
  /** As many slips as a word of this length may have. */
  readonly most: number;
}

/** One way to read what was typed. */
export interface Reading {
  readonly asTyped: boolean;
  readonly whole: Probe;
  readonly words: readonly Probe[];
}

const MOST_WORDS_IN_LAYOUT = 5;
/** Shorter ones are found by what they say, not by what they may have been meant to. */
const SHORTEST_RESPELT = 3;
const SHORTEST_INSIDE = 4;

/** What was typed as it stands, as the other keyboard layout would have it, and with look-alike letters put right. */
export function readings(query: string): Reading[] {
  const words = plain(query);
  const layout = words.split(' ').length <= MOST_WORDS_IN_LAYOUT ? otherLayout(query.trim()) : undefined;
  const others = [...(layout ? [plain(layout)] : []), ...repairs(words)];
  const wanted = others.filter((other) => other.replaceAll(' ', '').length >= SHORTEST_RESPELT);
  return [...new Set([words, ...wanted])].filter(Boolean).map((text) => {
    const each = wordsOf(text).map(probe);
    const whole = each.length === 1 ? each[0]! : probe(wordsOf(text).join(''));
    return { asTyped: text === words, whole, words: each };
  });
}

const ONE_SLIP = 4;
const TWO_SLIPS = 7;

function probe(word: string): Probe {
  const head = headOf(word);
  const slippery = !/\d/.test(word) && head.sound.length >= ONE_SLIP;
  const most = word.length >= TWO_SLIPS ? 2 : word.length >= ONE_SLIP ? 1 : 0;
  return {
    ...head,
    digits: /^\d+$/.test(word),
    byLetter: typed(word),
    bySound: typed(head.sound),
    most: slippery ? most : 0,
  };
}

/** Where in a name something typed stands, the best first. */
export const WHOLE = 0;
export const BEGINS = 1;
export const WORD = 2;
export const INSIDE = 3;
export const NOWHERE = 4;

/** Where the typed letters themselves stand. */
export function place({ own }: Probe, key: Key): number {
  return placeOf(own, key, (head) => head.own);
}

/** The same in either alphabet, or by its sound. */
export function loosePlace(asked: Probe, key: Key): number {
  const isLong = asked.latin.length >= SHORTEST_INSIDE;
  const own = placeOf(asked.own, key, (head) => head.own, isLong);
  const spelt = Math.min(own, placeOf(asked.latin, key, (head) => head.latin, isLong));
  if (spelt < WORD || asked.sound.length < SHORTEST_RESPELT) return spelt;
  return Math.min(spelt, placeOf(asked.sound, key, (head) => head.sound, false));
}

function placeOf(wanted: string, key: Key, spelling: (head: Head) => string, anywhere = true): number {
  const [first] = key;
  if (!first || !wanted) return NOWHERE;
  const whole = spelling(first);
  if (whole.startsWith(wanted)) return whole.length === wanted.length ? WHOLE : BEGINS;
  for (let at = 1; at < key.length; at++) if (spelling(key[at]!).startsWith(wanted)) return WORD;
  return anywhere && whole.includes(wanted) ? INSIDE : NOWHERE;
}

/** The fewest slips between what was typed and the beginning of a word of a name; Infinity where they are too many. */
export function slipsTo(asked: Probe, key: Key): number {
  let fewest = Infinity;
  if (!asked.most) return fewest;
  for (const head of key) {
    const most = Math.min(asked.most, fewest);
    const found = Math.min(
      slips(asked.byLetter, head.own, head.ownLetters, most),
      slips(asked.bySound, head.sound, head.soundLetters, most),
    );
    fewest = Math.min(fewest, found);
  }
  return fewest;
}
