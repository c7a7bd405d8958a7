/** "You already have this card": the same payload, or the same number at the same shop. */
import { words } from '../messages';
import type { Card, Code } from '../model';

export function sameCard(cards: readonly Card[], name: string, number: string, code: Code | undefined): Card | undefined {
  return cards.find((card) => holds(card, code) || isNamed(card, name, number));
}

function holds(card: Card, code: Code | undefined): boolean {
  return code !== undefined && card.codes.some((one) => one.raw === code.raw);
}

function isNamed(card: Card, name: string, number: string): boolean {
  return Boolean(number) && digits(card.number ?? '') === digits(number) && card.name.toLowerCase() === name.toLowerCase();
}

function digits(number: string): string {
  return number.replace(/[\s-]/g, '');
}

export function Duplicate({ card }: { readonly card: Card }) {
  const { confirm } = words();
  return (
    <div class="note-box" role="status" data-testid="duplicate">
      <div>
        <p>{confirm.duplicate(card.name)}</p>
        <a class="link" href={`/c/${card.id}`}>{confirm.openDuplicate}</a>
      </div>
    </div>
  );
}
