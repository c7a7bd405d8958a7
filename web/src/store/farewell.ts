/** What stays on the device when an account is deleted: its cards, as a guest's. */
import type { Card } from '../model';
import { meta, read, setMeta, write, type CardBody, type Database, type Kept, type StoredPicture } from './database';
import { sparse } from './fields';
import { collect } from './pictures';
import { cardKey } from './state';

/** How long a deletion may still be under way after its call was given up. */
const UNDER_WAY_MS = 60_000;

/**
 * Copies an account's cards and their pictures into the guest's database under their own ids. Those that were not there
 * are noted as copies until the account is known to be gone: should it live on, they go again.
 */
export function keepAsGuest(
  guest: Database, { space, account }: { readonly space: string; readonly account: string }, cards: readonly Card[],
  pictures: readonly StoredPicture[],
): Promise<void> {
  return write(guest, ['cards', 'pictures', 'meta'], async (tx) => {
    const noted = idsOf(await meta(tx, 'kept'), account);
    const known = new Set((await tx.objectStore('cards').getAllKeys()).map(([, key]) => key));
    // What an earlier attempt has copied is copied anew: the card may have changed since.
    const fresh = cards.filter(({ id }) => !known.has(cardKey(id)) || noted.includes(id));
    await Promise.all(fresh.map((card) => (
      tx.objectStore('cards').put({ space, key: cardKey(card.id), version: 1, value: bodyOf(card) })
    )));
    await Promise.all(pictures.map((picture) => tx.objectStore('pictures').put({ ...picture, space, sent: false })));
    const ids = [...new Set([...noted, ...fresh.map(({ id }) => id)])];
    await setMeta(tx, 'kept', { account, ids, at: Date.now() });
  });
}

/** Whether copies stand with the guest of an account, and by now a deletion would have been seen. */
export async function hasKeptLong(guest: Database, account: string): Promise<boolean> {
  const kept = await read(guest, ['meta'], (tx) => meta(tx, 'kept'));
  return kept?.account === account && Date.now() - kept.at > UNDER_WAY_MS;
}

/** Drops the copies of an account that lives on. */
export async function giveUpKept(guest: Database, space: string, account: string): Promise<void> {
  await write(guest, ['cards', 'meta'], async (tx) => {
    const kept = await meta(tx, 'kept');
    await Promise.all(idsOf(kept, account).map((id) => tx.objectStore('cards').delete([space, cardKey(id)])));
    if (kept?.account === account) await setMeta(tx, 'kept', undefined);
  });
  await collect(guest);
}

function idsOf(kept: Kept | undefined, account: string): readonly string[] {
  return kept?.account === account ? kept.ids : [];
}

function bodyOf(card: Card): CardBody {
  const { uses, last_used_at, created_at } = card;
  return { ...sparse(card), ...(uses && { uses }), ...(last_used_at && { last_used_at }), ...(created_at && { created_at }) };
}
