/** Codes typed by hand: the text of a number as a code carries it, and the code made of it. */
import type { Code, Format } from '../model';
import { rawOf } from './bytes';
import { guess } from './formats';

/** A printed number as a code would carry it: digits without the gaps they are printed with; anything else as it is. */
export function codeText(number: string): string {
  const joined = number.replace(/[\s\-–]/g, '');
  return /^\d+$/.test(joined) ? joined : number.trim();
}

/**
 * The code of a typed text: in the chosen symbology, else in the likeliest. Undefined where there is nothing to draw.
 */
export function typedCode(text: string, chosen?: Format): Code | undefined {
  const format = chosen ?? guess(text)[0];
  return text && format ? { format, text, raw: rawOf(text) } : undefined;
}

/** Text for a one-line field: without control characters and those that reorder what stands around them. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').trim();
}
