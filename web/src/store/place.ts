/** Where a card is on this device. */
import type { Arguments, Row, Writing } from './database';
import { cardKey } from './state';

/** The card's row, in the space that is named or else in the one it was moved to. */
export async function rowOf(tx: Writing, { space, id }: Pick<Arguments, 'space' | 'id'>): Promise<Row | undefined> {
  const cards = tx.objectStore('cards');
  return (await cards.get([space, cardKey(id)])) ?? (await cards.getAll()).find(({ key }) => key === cardKey(id));
}
