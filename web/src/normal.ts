/**
 * Forms of a name that compare equal however it is written, as aggregator/merchants/normal.py makes them; Latin and
 * Cyrillic only, other scripts stay as they are. tests/normal-cases.json holds both to the same answers.
 */

type Table = ReadonlyMap<string, string>;

function table(from: string, to: string | readonly string[]): Table {
  const others = [...to];
  return new Map([...from].map((letter, at) => [letter, others[at]!]));
}

function respelt(text: string, letters: Table): string {
  return Array.from(text, (letter) => letters.get(letter) ?? letter).join('');
}

// ---------------------------------------------------------------- words

const APOSTROPHES = /['’‘`´ʼʹ]/g;
const WORDS = /[^\x00-/:-`{-\x7f]+/g;
const SIGNS = /[^\p{L}\p{N}\p{M}\x00-\x7f]/gu;
const NOT_ASCII = /[^\x00-\x7f]/;
const MARKS = /\p{M}/gu;
/** Й is a letter of its own, not И with a mark: it keeps its breve. */
const MARKS_BUT_SHORT_I = /(?<!и)\p{M}|(?<=и)(?!\u0306)\p{M}/gu;

/** One Latin spelling a letter, close to the BGN/PCGN romanisation; Ё is Е because people rarely type it. */
const TO_LATIN: Table = new Map([
  ...table('абвгдезийклмнопрстуфыэіґўѓќәғқңөұүһӣӯјћџђ', 'abvgdeziyklmnoprstufyeigugkagknouuhiujczd'),
  ...table('жхцчшщъьюяёїєљњѕ', 'zh,kh,ts,ch,sh,shch,,,yu,ya,e,yi,ye,lj,nj,dz'.split(',')),
  // Latin letters that are more than a letter with a mark.
  ...table('æœøłđıðþħəŋ', 'ae,oe,o,l,d,i,d,th,h,e,ng'.split(',')),
]);

/** Lower-case words with single spaces: NFKC, Ё as Е, apostrophes closed up, other signs as spaces. */
export function plain(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase().replaceAll('ß', 'ss').replaceAll('ς', 'σ').replaceAll('ё', 'е');
  return inWords(lower.replace(APOSTROPHES, '').replace(SIGNS, ' '));
}

/** The same `plain` words in ASCII. */
export function latin(words: string): string {
  if (!NOT_ASCII.test(words)) return words;
  // Before the marks are taken off, for letters that are others without them; and after, for those left bare.
  const spelt = respelt(words, TO_LATIN).normalize('NFKD').replace(MARKS, '');
  return inWords(respelt(spelt, TO_LATIN));
}

/** Lower case without the dots of Ё and other marks; signs and spaces stay. */
export function unmarked(text: string): string {
  return text.normalize('NFKD').toLowerCase().replace(MARKS_BUT_SHORT_I, '').normalize('NFC');
}

function inWords(text: string): string {
  return (text.match(WORDS) ?? []).join(' ');
}

// ---------------------------------------------------------------- the same sound

/** Tried in this order: a rule may join what a reader tells apart, both sides are folded alike. */
const SOUNDS = [
  'shch s', 'sch s', 'tch c', 'dzh j', 'tz s', 'ts s', 'sh s', 'zh s', 'ch s', 'kh h', 'ph f', 'gh g', 'th t', 'ck k',
  'ce se', 'ci si', 'cy si', 'c k', 'q k', 'x ks', 'w v', 'z s', 'yo e', 'jo e', 'y i', 'j i', 'oo u', 'ou u', 'ee i',
  'ea i', 'ie e',
].map((rule) => rule.split(' ') as [spelling: string, sound: string]);

/** A squashed Latin word as it roughly sounds. */
export function fold(squashed: string): string {
  let sound = squashed;
  for (const [spelling, said] of SOUNDS) sound = sound.replaceAll(spelling, said);
  return sound.replace(/(.)\1+/gu, '$1');
}

// ---------------------------------------------------------------- the same keys, the same shapes

const CYRILLIC_LETTER = /[\u0400-\u052f]/;
const LATIN_LETTER = /[a-zA-Z]/;
const DIGIT = /\p{Nd}/u;

const LATIN_KEYS = '`qwertyuiop[]asdfghjkl;\'zxcvbnm,./~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?';
const RUSSIAN_KEYS = 'ёйцукенгшщзхъфывапролджэячсмитьбю.ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ,';
const TO_RUSSIAN_KEYS = table(LATIN_KEYS, RUSSIAN_KEYS);
const TO_LATIN_KEYS: Table = new Map([...table(RUSSIAN_KEYS, LATIN_KEYS), ...table('іїєўґ', "s]'o\\")]);

/** What the same keys give on the other keyboard layout (ЙЦУКЕН and QWERTY); nothing for a mixed or other script. */
export function otherLayout(text: string): string | undefined {
  const [cyrillic, latinLetters] = [CYRILLIC_LETTER.test(text), LATIN_LETTER.test(text)];
  if (cyrillic && !latinLetters) return respelt(text, TO_LATIN_KEYS);
  return latinLetters && !cyrillic && !NOT_ASCII.test(text) ? respelt(text, TO_RUSSIAN_KEYS) : undefined;
}

/** Letters a camera confuses across the alphabets, then digits seen for letters. */
const CYRILLIC_SHAPES = table('abcehkmoptxyrnu3046iv', 'авсенкмортхуяипзочбіу');
const LATIN_SHAPES = table('авсенкмортхуяипзгіъьбё015684', 'abcehkmoptxyrnnzriblbeoisbga');
/** Digits that stand for a Cyrillic letter when people write Russian in Latin. */
const CHAT_DIGITS = table('46', ['ch', 'sh']);

/** `plain` words as one alphabet: words of mixed letters, or of letters and digits, rewritten by shape. */
export function repairs(words: string): string[] {
  const found = [
    ...oneAlphabet(words, CYRILLIC_SHAPES, LATIN_LETTER),
    ...oneAlphabet(words, LATIN_SHAPES, CYRILLIC_LETTER),
    ...(!NOT_ASCII.test(words) && /[46]/.test(words) ? [mixedRespelt(words, CHAT_DIGITS)] : []),
  ];
  return found.filter((text) => text !== words);
}

function oneAlphabet(words: string, shapes: Table, foreign: RegExp): string[] {
  const rewritten = mixedRespelt(words, shapes);
  return rewritten.split(' ').some((word) => isMixed(word) && foreign.test(word)) ? [] : [rewritten];
}

function mixedRespelt(words: string, letters: Table): string {
  return words.split(' ').map((word) => (isMixed(word) ? respelt(word, letters) : word)).join(' ');
}

/** Whether a word has letters of both alphabets, or letters and digits. */
function isMixed(word: string): boolean {
  const [cyrillic, latinLetters] = [CYRILLIC_LETTER.test(word), LATIN_LETTER.test(word)];
  return cyrillic && latinLetters ? true : (cyrillic || latinLetters) && DIGIT.test(word);
}
