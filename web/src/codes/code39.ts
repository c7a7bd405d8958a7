/** Code 39 (ISO/IEC 16388): which of its two readings a text has, plain or as pairs that stand for all of ASCII. */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%';
const PAIR = /[$%/+][A-Z]/;

/** Which symbol says just this text; none does where readers would see something else in the one that is due. */
export function spelling(text: string): 'plain' | 'pairs' | 'none' {
  const isPlain = [...text].every((character) => ALPHABET.includes(character));
  // Readers take a last character that fits for a check character, and then leave pairs as they are.
  if (isPlain && (!PAIR.test(text) || checks(text))) return 'plain';
  return checks(paired(text)) ? 'none' : 'pairs';
}

function checks(symbols: string): boolean {
  const values = [...symbols].map((character) => ALPHABET.indexOf(character));
  const last = values.pop();
  return values.length > 0 && values.reduce((sum, value) => sum + value, 0) % ALPHABET.length === last;
}

function paired(text: string): string {
  return [...text].map((character) => (/[0-9A-Z\-. ]/.test(character) ? character : pair(character.charCodeAt(0)))).join('');
}

/** First code of a stretch of ASCII, its shift character, and the letter it begins with (ISO/IEC 16388, annex A). */
const STRETCHES: readonly (readonly [first: number, shift: string, letter: string])[] = [
  [0x7b, '%', 'P'], [0x61, '+', 'A'], [0x60, '%', 'W'], [0x5b, '%', 'K'], [0x40, '%', 'V'], [0x3b, '%', 'F'], [0x21, '/', 'A'],
  [0x1b, '%', 'A'], [0x01, '$', 'A'], [0x00, '%', 'U'],
];

function pair(code: number): string {
  const [first, shift, letter] = STRETCHES.find(([from]) => code >= from)!;
  return shift + String.fromCharCode(letter.charCodeAt(0) + code - first);
}
