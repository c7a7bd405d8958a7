/** Slips of the finger: how many edits turn what was typed into a word, or into its beginning. */

/** A typed word of at most 31 letters, ready to be compared with many. */
export interface Typed {
  readonly length: number;
  /** Where each letter stands, one bit a place. */
  readonly places: ReadonlyMap<string, number>;
  readonly letters: number;
}

export const LONGEST_TYPED = 31;

export function typed(word: string): Typed {
  const places = new Map<string, number>();
  const cut = word.slice(0, LONGEST_TYPED);
  for (let at = 0; at < cut.length; at++) places.set(cut[at]!, (places.get(cut[at]!) ?? 0) | (1 << at));
  return { length: cut.length, places, letters: lettersOf(cut) };
}

/** Which letters a word has, one bit each; several letters share a bit, so that a bit too few is never reported. */
export function lettersOf(word: string): number {
  let letters = 0;
  for (let at = 0; at < word.length; at++) letters |= 1 << (word.charCodeAt(at) & 31);
  return letters;
}

/**
 * The edits (letters left out, put in, exchanged, or swapped with their neighbour) between the typed word and the
 * nearest beginning of another, Infinity for more than `most`. `letters` are those of the other word.
 *
 * Source: the bit-parallel optimal string alignment of H. Hyyrö, "A bit-vector algorithm for computing Levenshtein and
 * Damerau edit distances", Nordic Journal of Computing 10 (2003).
 */
export function slips(asked: Typed, word: string, letters: number, most: number): number {
  if (bits(asked.letters & ~letters) > most) return Infinity;
  const end = Math.min(word.length, asked.length + most);
  const last = 1 << (asked.length - 1);
  let [positive, negative, diagonal, before] = [-1, 0, 0, 0];
  let [edits, fewest] = [asked.length, asked.length];
  for (let at = 0; at < end; at++) {
    const here = asked.places.get(word[at]!) ?? 0;
    const swapped = ((~diagonal & here) << 1) & before;
    diagonal = (((here & positive) + positive) ^ positive) | here | negative | swapped;
    let across = negative | ~(diagonal | positive);
    const back = diagonal & positive;
    if (across & last) edits++;
    else if (back & last) edits--;
    across = (across << 1) | 1;
    positive = (back << 1) | ~(diagonal | across);
    negative = across & diagonal;
    before = here;
    fewest = Math.min(fewest, edits);
  }
  return fewest > most ? Infinity : fewest;
}

function bits(word: number): number {
  let count = 0;
  for (let left = word; left; left &= left - 1) count++;
  return count;
}
