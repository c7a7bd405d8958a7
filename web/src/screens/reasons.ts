/** Why the server names a shop, in words. */
import { FORMAT_NAMES } from '../codes/formats';
import { percent } from '../messages/format';
import type { Catalogue } from '../messages/ru';
import type { DraftMerchant, Format, Language, Reason } from '../model';

/** The words of a language. */
export interface Voice { readonly language: Language; readonly words: Catalogue }

const PLAIN = 'name';
const LARGE = 'large-print';
/** Said of every shop that was read from a card, these tell none from another. */
const OF_ALL = new Set([PLAIN, LARGE]);
/** Below this a figure says no more than that the shop is not likely. */
const WORTH_SAYING = 0.05;

/** The reasons that tell a shop offered from the others, and how sure the server is. */
export function whyOffered(voice: Voice, { reasons, score }: DraftMerchant): string {
  const telling = codesOf(reasons).filter(({ code }) => !OF_ALL.has(code));
  return joined([inWords(voice, telling), score >= WORTH_SAYING && sure(voice, score)]);
}

/** All reasons for a shop that was filled in, and how sure the server is. */
export function whyBelieved(voice: Voice, { reasons, score }: DraftMerchant): string {
  const codes = codesOf(reasons);
  const isLarge = codes.some(({ code }) => code === LARGE);
  return joined([inWords(voice, codes.filter(({ code }) => !isLarge || code !== PLAIN)), sure(voice, score)]);
}

function joined(parts: readonly (string | false)[]): string {
  return parts.filter(Boolean).join(' · ');
}

function sure({ language, words }: Voice, score: number): string {
  return words.confirm.sure(percent(language, score));
}

/** A code this version has no words for is left out: better silent than a puzzle. */
function inWords({ words }: Voice, reasons: readonly Reason[]): string {
  return [...new Set(reasons.map((reason) => said(words, reason)))].filter((text) => text !== undefined).join(', ');
}

function said(words: Catalogue, { code, value }: Reason): string | undefined {
  const known = words.reasons[code];
  if (typeof known === 'string') return known;
  return value === undefined ? undefined : known?.(FORMAT_NAMES[value as Format] ?? `${value}`);
}

function codesOf(reasons: DraftMerchant['reasons']): Reason[] {
  return reasons.map((reason) => (typeof reason === 'string' ? { code: reason } : reason));
}
