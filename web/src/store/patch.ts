/** A pull's answer, brought into the rows. */
import { setMeta, write, type Database, type Row, type Writing } from './database';

/** What a pull answers. */
export interface Pulled {
  readonly cookie: string;
  readonly last: number;
  readonly patch: readonly Operation[];
}

export type Operation =
  | ({ readonly op: 'put' } & Row)
  | { readonly op: 'del'; readonly space: string; readonly key: string; readonly version: number }
  | { readonly op: 'clear'; readonly space?: string };

/**
 * Brings the rows to the pulled state, all or nothing. Answers false if the server no longer knows a mutation it had
 * acknowledged, as after a restore from a backup.
 */
export function applyPull(db: Database, pulled: Pulled): Promise<boolean> {
  return write(db, ['cards', 'queue', 'meta'], async (tx) => {
    for (const operation of pulled.patch) await applyOperation(tx, operation);
    await Promise.all([setMeta(tx, 'cookie', pulled.cookie), setMeta(tx, 'contained', pulled.last)]);
    const queue = tx.objectStore('queue');
    const acknowledged = (await queue.getAll()).filter((entry) => entry.acknowledged);
    const contained = acknowledged.filter((entry) => entry.id <= pulled.last);
    await Promise.all(contained.map((entry) => queue.delete(entry.id)));
    return contained.length === acknowledged.length;
  });
}

async function applyOperation(tx: Writing, operation: Operation): Promise<void> {
  const cards = tx.objectStore('cards');
  if (operation.op === 'put') {
    const { op: _op, ...row } = operation;
    await cards.put(row);
  } else if (operation.op === 'del') {
    await cards.delete([operation.space, operation.key]);
  } else if (operation.space === undefined) {
    await cards.clear();
  } else {
    await cards.delete(IDBKeyRange.bound([operation.space], [operation.space, []]));
  }
}
