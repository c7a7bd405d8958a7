/** Whether a new card is one the wallet has: the same payload, or the same number at the same shop. */
import type { Card, Code } from '../model';

/** The card a new one would repeat; names and numbers as typed, already cleaned. */
export function sameCard(
  cards: readonly Card[], name: string, number: string, code: Code | undefined,
): Card | undefined {
  return cards.find((card) => holds(card, code) || isNamed(card, name, number));
}

function holds(card: Card, code: Code | undefined): boolean {
  return code !== undefined && card.codes.some((one) => one.raw === code.raw);
}

function isNamed(card: Card, name: string, number: string): boolean {
  if (!number || digits(card.number ?? '') !== digits(number)) return false;
  return card.name.toLowerCase() === name.toLowerCase();
}

function digits(number: string): string {
  return number.replace(/[\s-]/g, '');
}
