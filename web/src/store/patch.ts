/** A pull's answer, brought into the rows; and what has to be sent again because of it. */
import { keptAgain, toldAgain, type ToldAgain } from './again';
import { meta, setMeta, write, type Database, type Row, type Store, type Writing } from './database';
import { append, numberAnew } from './queue';
import { noteUses } from './uses';

/** What a pull answers. */
export interface Pulled {
  readonly cookie: string;
  readonly last: number;
  /** After a restore from backup: up to which version of each space the backup knew what this device holds. */
  readonly restored?: Readonly<Record<string, number>>;
  readonly patch: readonly Operation[];
}

export type Operation =
  | ({ readonly op: 'put' } & Row)
  | { readonly op: 'del'; readonly space: string; readonly key: string; readonly version: number }
  | { readonly op: 'clear'; readonly space?: string };

export interface Applied {
  /** The server no longer knows mutations it had acknowledged: they are to be numbered anew. */
  readonly lost: boolean;
  /** Something came into the queue that the server must hear. */
  readonly queued: boolean;
  readonly restored: boolean;
}

const TOUCHED: Store[] = ['cards', 'tombstones', 'uses', 'queue', 'refusals', 'meta'];

/** Brings the rows to the pulled state, all or nothing. */
export function applyPull(db: Database, pulled: Pulled): Promise<Applied> {
  return write(db, TOUCHED, async (tx) => {
    const again = pulled.restored && (await toldAgain(tx, pulled.restored, pulled.patch));
    for (const operation of pulled.patch) await applyOperation(tx, operation);
    await Promise.all([setMeta(tx, 'cookie', pulled.cookie), setMeta(tx, 'contained', pulled.last)]);
    return again ? goOnAfterRestore(tx, pulled.last, again) : dropContained(tx, pulled.last);
  });
}

async function dropContained(tx: Writing, last: number): Promise<Applied> {
  const queue = tx.objectStore('queue');
  const entries = await queue.getAll();
  const acknowledged = entries.filter((entry) => entry.acknowledged);
  const contained = acknowledged.filter(({ id }) => id <= last);
  await Promise.all(contained.map(({ id }) => queue.delete(id)));
  await noteUses(tx, contained);
  const gone = contained.filter((entry) => entry.gone);
  for (const entry of gone) await append(tx, await keptAgain(tx, entry, entries));
  return { lost: contained.length < acknowledged.length, queued: gone.length > 0, restored: false };
}

/** What the restored server has lost goes out first, then what it never had: edits refused for want of a card too. */
async function goOnAfterRestore(tx: Writing, last: number, { mutations, refusals }: ToldAgain): Promise<Applied> {
  const queue = await tx.objectStore('queue').getAll();
  const contained = queue.filter(({ id, acknowledged, gone }) => acknowledged && !gone && id <= last);
  await noteUses(tx, contained);
  await numberAnew(tx, mutations, queue.filter((entry) => !contained.includes(entry)));
  await Promise.all(refusals.map((refusal) => tx.objectStore('refusals').add(refusal)));
  return { lost: false, queued: true, restored: true };
}

async function applyOperation(tx: Writing, operation: Operation): Promise<void> {
  const [cards, tombstones] = [tx.objectStore('cards'), tx.objectStore('tombstones')];
  if (operation.op === 'put') {
    const { op: _op, ...row } = operation;
    await Promise.all([cards.put(row), tombstones.delete([row.space, row.key])]);
  } else if (operation.op === 'del') {
    const { space, key, version } = operation;
    await Promise.all([cards.delete([space, key]), tombstones.put({ space, key, version, noted: Date.now() })]);
  } else if (operation.space === undefined) {
    await Promise.all([cards.clear(), tombstones.clear(), setMeta(tx, 'era', ((await meta(tx, 'era')) ?? 0) + 1)]);
  } else {
    const all = IDBKeyRange.bound([operation.space], [operation.space, []]);
    await Promise.all([cards.delete(all), tombstones.delete(all)]);
  }
}
