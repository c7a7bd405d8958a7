/** What stays on the device when an account is deleted: its cards, as a guest's. */
import type { Card } from '../model';
import { write, type CardBody, type Database, type StoredPicture } from './database';
import { sparse } from './fields';
import { cardKey } from './state';

/**
 * Copies cards and their pictures into the guest's database under their own ids, and answers the ids of those that
 * were not there yet.
 */
export async function keepAsGuest(
  guest: Database, space: string, cards: readonly Card[], pictures: readonly StoredPicture[],
): Promise<string[]> {
  return write(guest, ['cards', 'pictures'], async (tx) => {
    const known = new Set((await tx.objectStore('cards').getAllKeys()).map(([, key]) => key));
    const fresh = cards.filter(({ id }) => !known.has(cardKey(id)));
    await Promise.all(fresh.map((card) => (
      tx.objectStore('cards').put({ space, key: cardKey(card.id), version: 1, value: bodyOf(card) })
    )));
    await Promise.all(pictures.map((picture) => tx.objectStore('pictures').put({ ...picture, space, sent: false })));
    return fresh.map(({ id }) => id);
  });
}

function bodyOf(card: Card): CardBody {
  const { uses, last_used_at, created_at } = card;
  return { ...sparse(card), ...(uses && { uses }), ...(last_used_at && { last_used_at }), ...(created_at && { created_at }) };
}
