/** The cards beside the shown one: recent ones, in the order they had when the till was opened. */
import { recent } from '../alphabet';
import type { Card } from '../model';
import { cards } from '../wallet';

let order: readonly string[] = [];

/**
 * Showing a card makes it the latest; without this the row would turn under the thumb. Called when the wallet is shown.
 */
export function forgetOrder(): void {
  order = [];
}

/** The previous and the next card of the row; the shown one joins it in front. */
export function neighbours(card: Card): [previous: Card | undefined, next: Card | undefined] {
  if (!order.includes(card.id)) {
    const late = recent(cards.value).map((one) => one.id);
    order = [card.id, ...late.filter((id) => id !== card.id)];
  }
  const row = order.flatMap((id) => cards.value.find((one) => one.id === id) ?? []);
  const at = row.findIndex((one) => one.id === card.id);
  return [row[at - 1], row[at + 1]];
}
