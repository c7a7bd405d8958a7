/** Uses the server has counted, remembered so that each can be told again, once, after a restore from backup. */
import type { Queued, Writing } from './database';
import { rowOf } from './place';

/** As long as the server keeps tombstones. */
const KEPT_MS = 400 * 24 * 3_600_000;

/** Notes the uses among mutations that the rows now contain; what has been noted for long enough goes. */
export async function noteUses(tx: Writing, contained: readonly Queued[]): Promise<void> {
  const uses = contained.filter(({ name, gone }) => name === 'card.use' && !gone);
  for (const { args } of uses) {
    const row = await rowOf(tx, args);
    if (!row) continue;
    const { space, version } = row;
    await tx.objectStore('uses').put({ use: args['use'] as string, args: { ...args, space }, version, noted: Date.now() });
  }
  if (uses.length) await forgetOld(tx, Date.now() - KEPT_MS);
}

async function forgetOld(tx: Writing, before: number): Promise<void> {
  const [uses, tombstones] = [tx.objectStore('uses'), tx.objectStore('tombstones')];
  const [oldUses, oldTombstones] = await Promise.all([uses.getAll(), tombstones.getAll()]);
  await Promise.all([
    ...oldUses.filter(({ noted }) => noted < before).map(({ use }) => uses.delete(use)),
    ...oldTombstones.filter(({ noted }) => noted < before).map(({ space, key }) => tombstones.delete([space, key])),
  ]);
}
