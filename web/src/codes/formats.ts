/**
 * What each symbology can carry: check digits, alphabets and lengths, and which symbology a typed number is likely to
 * be.
 */
import type { Format } from '../model';

/** All symbologies in the order a person is offered them. */
export const OFFERED: readonly Format[] = [
  'ean_13', 'code_128', 'qr_code', 'ean_8', 'upc_a', 'upc_e', 'itf', 'code_39', 'code_93', 'codabar', 'pdf417', 'aztec',
  'data_matrix', 'databar', 'databar_expanded',
];

/** Names as printed on readers' data sheets; the same in every language. */
export const FORMAT_NAMES: Record<Format, string> = {
  ean_13: 'EAN-13', ean_8: 'EAN-8', upc_a: 'UPC-A', upc_e: 'UPC-E', code_128: 'Code 128', code_39: 'Code 39',
  code_93: 'Code 93', codabar: 'Codabar', itf: 'ITF', qr_code: 'QR', pdf417: 'PDF417', aztec: 'Aztec',
  data_matrix: 'Data Matrix', databar: 'GS1 DataBar', databar_expanded: 'GS1 DataBar Expanded',
};

/** Why a payload does not fit a symbology; `unsupported` is the encoder's own refusal. */
export type Misfit = 'empty' | 'digits' | 'length' | 'check' | 'even' | 'alphabet' | 'too-long' | 'unsupported';

/** A payload the symbology cannot carry. */
export class Uncodable extends Error {
  constructor(readonly reason: Misfit, options?: ErrorOptions) {
    super(reason, options);
  }
}

/**
 * GS1 check digit of the digits before it (GS1 General Specifications, 7.9.1: weights 3 and 1 from the right, modulo
 * 10).
 */
export function checkDigit(digits: string): string {
  const sum = [...digits].reverse().reduce((total, digit, i) => total + Number(digit) * (i % 2 ? 1 : 3), 0);
  return String((10 - (sum % 10)) % 10);
}

/** Whether the last digit is the GS1 check digit of the others. */
export function checks(digits: string): boolean {
  return /^\d{2,}$/.test(digits) && checkDigit(digits.slice(0, -1)) === digits.at(-1);
}

/** The 12 digits of UPC-A behind 8 digits of UPC-E, or undefined for a number system other than 0 and 1. */
export function expanded(upcE: string): string | undefined {
  const match = /^([01])(\d)(\d)(\d)(\d)(\d)(\d)(\d)$/.exec(upcE);
  if (!match) return undefined;
  const [, system, a, b, c, d, e, last, check] = match as unknown as string[];
  const middle =
    last! <= '2' ? `${a}${b}${last}0000${c}${d}${e}`
    : last === '3' ? `${a}${b}${c}00000${d}${e}`
    : last === '4' ? `${a}${b}${c}${d}00000${e}`
    : `${a}${b}${c}${d}${e}0000${last}`;
  return `${system}${middle}${check}`;
}

/**
 * The 8 digits of UPC-E for a UPC-A of 12 digits (or the same as EAN-13), or undefined where its zeros cannot be
 * suppressed.
 */
export function suppressed(upcA: string): string | undefined {
  const digits = upcA.replace(/^0(?=\d{12}$)/, '');
  const match = /^([01])(\d{5})(\d{5})(\d)$/.exec(digits);
  if (!match) return undefined;
  const [, system, maker, item, check] = match as unknown as [string, string, string, string, string];
  const short = suppressedMiddle(maker, item);
  return short && expanded(system + short + check) === digits ? system + short + check : undefined;
}

function suppressedMiddle(maker: string, item: string): string | undefined {
  if (/^\d\d[012]00$/.test(maker) && item.startsWith('00')) return maker.slice(0, 2) + item.slice(2) + maker[2];
  if (maker.endsWith('00') && item.startsWith('000')) return `${maker.slice(0, 3)}${item.slice(3)}3`;
  if (maker.endsWith('0') && item.startsWith('0000')) return `${maker.slice(0, 4)}${item.slice(4)}4`;
  return /^0000[5-9]$/.test(item) ? maker + item[4] : undefined;
}

/**
 * Why a payload (one character per byte) cannot be drawn in a symbology, or undefined where it can.
 * Normal forms: UPC-A may have 13 digits with a leading 0; UPC-E 8 digits or its expansion; DataBar a GTIN-14, with or
 * without its application identifier 01; Codabar with or without its start and stop letters.
 */
export function wrong(format: Format, text: string): Misfit | undefined {
  if (!text) return 'empty';
  return RULES[format](text);
}

type Rule = (text: string) => Misfit | undefined;

function gtin(pattern: RegExp): Rule {
  return (text) => {
    if (/\D/.test(text)) return 'digits';
    if (!pattern.test(text)) return 'length';
    return checks(text) ? undefined : 'check';
  };
}

function upcE(text: string): Misfit | undefined {
  if (/\D/.test(text)) return 'digits';
  const full = text.length === 8 ? expanded(text) : suppressed(text) && text;
  if (!full) return 'length';
  return checks(full) ? undefined : 'check';
}

function characters(alphabet: RegExp, longest: number): Rule {
  return (text) => (text.length > longest ? 'too-long' : alphabet.test(text) ? undefined : 'alphabet');
}

type Capacity = readonly [bytes: number, digits: number];

function capacity([bytes, digits]: Capacity): Rule {
  return (text) => (text.length > (/^\d*$/.test(text) ? digits : bytes) ? 'too-long' : undefined);
}

function itf(text: string): Misfit | undefined {
  if (/\D/.test(text)) return 'digits';
  if (text.length % 2) return 'even';
  return text.length > LONGEST.linear ? 'too-long' : undefined;
}

function elementString(text: string): Misfit | undefined {
  if (text.length > LONGEST.databarExpanded) return 'too-long';
  return /^\d\d[\x1d!-"%-?A-Z_a-z ]+$/.test(text) ? undefined : 'alphabet';
}

/** Linear codes end where no phone shows them; matrix ones at the largest symbol, in bytes and in digits. */
const LONGEST = { linear: 80, databarExpanded: 74 };
const QR: Capacity = [2953, 7089];
const PDF417: Capacity = [1108, 2710];
const AZTEC: Capacity = [1914, 3832];
const DATA_MATRIX: Capacity = [1555, 3116];
const ANY_BYTE = /^[\x00-\xff]*$/;
const ASCII = /^[\x00-\x7f]*$/;

const RULES: Record<Format, Rule> = {
  ean_13: gtin(/^\d{13}$/),
  ean_8: gtin(/^\d{8}$/),
  upc_a: gtin(/^0?\d{12}$/),
  upc_e: upcE,
  code_128: characters(ANY_BYTE, LONGEST.linear),
  code_39: characters(ASCII, LONGEST.linear),
  code_93: characters(ASCII, LONGEST.linear),
  codabar: characters(/^[A-D]?[\d\-$:/.+]+[A-D]?$/i, LONGEST.linear),
  itf,
  qr_code: capacity(QR),
  pdf417: capacity(PDF417),
  aztec: capacity(AZTEC),
  data_matrix: capacity(DATA_MATRIX),
  databar: (text) => gtin(/^\d{14}$/)(text.replace(/^01(?=.{14}$)/, '')),
  databar_expanded: elementString,
};

const LONG_TEXT = 30;

/** Whether a typed number is as long as an EAN or UPC and no check digit makes it one. */
export function looksMistyped(text: string): boolean {
  return /^(\d{8}|\d{12,13})$/.test(text) && !checks(text) && wrong('upc_e', text) !== undefined;
}

/** Symbologies that can carry a typed number, the likeliest first; never empty for a text of at most 2,953 bytes. */
export function guess(text: string): Format[] {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return likely(text).filter((format) => !wrong(format, bytes));
}

function likely(text: string): Format[] {
  const first = checks(text) ? retail(text.length) : [];
  const isShort = /^\d+$/.test(text) || (text.length < LONG_TEXT && /^[ -~]+$/.test(text));
  return [...new Set([...first, isShort ? 'code_128' as const : 'qr_code' as const, ...OFFERED])];
}

function retail(length: number): Format[] {
  return ({ 8: ['ean_8'], 12: ['upc_a'], 13: ['ean_13'], 14: ['itf'] } as Record<number, Format[]>)[length] ?? [];
}

/**
 * A card number in groups for reading aloud: spaces as printed are kept, digits alone are split into fours (13: 1-6-6).
 */
export function grouped(number: string): string {
  const trimmed = number.trim();
  if (!/^\d{9,}$/.test(trimmed)) return trimmed;
  if (trimmed.length === 13) return `${trimmed[0]} ${trimmed.slice(1, 7)} ${trimmed.slice(7)}`;
  if (trimmed.length === 12) return `${trimmed[0]} ${trimmed.slice(1, 6)} ${trimmed.slice(6, 11)} ${trimmed[11]}`;
  return trimmed.replace(/(\d{4})(?=\d)/g, '$1 ');
}
