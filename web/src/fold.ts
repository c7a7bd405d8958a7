/** Text as a searching eye sees it: without case, without the dots of Ё, without diacritics. */

/** Й is a letter of its own, not И with a mark: it keeps its breve. */
const MARKS_BUT_SHORT_I = /(?<!и)\p{M}|(?<=и)(?!\u0306)\p{M}/gu;

export function fold(text: string): string {
  return text.toLowerCase().normalize('NFKD').replace(MARKS_BUT_SHORT_I, '').normalize('NFC');
}

/** Only the letters and digits that numbers are made of, so that spaces and dashes do not matter. */
export function compact(text: string): string {
  return text.replace(/[\s\-–—]+/g, '');
}
