/** One IndexedDB database per account, and one for the guest. What is in it survives everything but a sign-out. */
import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction, type StoreNames } from 'idb';
import {
  StorageFull, type Account, type CardFields, type Drawn, type MutationName, type OfferWish, type Problem,
} from '../model';

/** A card's sparse JSON as the server keeps it. */
export type CardBody = CardFields & {
  readonly uses?: number;
  readonly last_used_at?: string;
  readonly created_at?: string;
  readonly binned_at?: string;
  readonly brought_by?: string;
};

/** A row of the last pulled state; a guest's rows count `version` by themselves. */
export interface Row {
  readonly space: string;
  readonly key: string;
  readonly version: number;
  readonly value: CardBody;
}

/** `id` is the card's; a wish is of no card and has none. */
export type Arguments = Readonly<Record<string, unknown>> & { readonly space: string; readonly id: string };

/** The arguments of a wish. */
export function wishArguments(space: string, wish: OfferWish): Arguments {
  return { space, ...wish } as unknown as Arguments;
}

/** A mutation not numbered yet. */
export interface Mutation {
  readonly name: MutationName;
  readonly args: Arguments;
  readonly made_at: string;
  /** The whole card with this edit made: what is kept should the server refuse it. */
  readonly copy?: CardFields;
  /** The guest's card this one takes over; that copy goes when the receipt has come. */
  readonly guest?: string;
  /** It keeps a purged card again: where that is gone once more, it is refused like any other. */
  readonly revives?: true;
}

/**
 * A mutation in the queue. `acknowledged` once its outcome was seen: it is not sent again, but still replayed until the
 * pulled state contains it, or the screen would flicker between the push and the pull. `gone` was refused because the
 * server has no such card; whether the card was purged, or lost by a restore from backup, the next pull tells.
 */
export interface Queued extends Mutation {
  readonly id: number;
  readonly acknowledged?: true;
  readonly gone?: true;
}

/** A key whose body the server has removed, noted at `noted` (ms since 1970) by the device's clock. */
export interface Tombstone {
  readonly space: string;
  readonly key: string;
  readonly version: number;
  readonly noted: number;
}

/** A use made here that the pulled state contains since `version` of its space; `noted` as of a tombstone. */
export interface CountedUse {
  readonly use: string;
  readonly args: Arguments;
  readonly version: number;
  readonly noted: number;
}

export interface StoredRefusal {
  readonly key?: number;
  readonly name: MutationName;
  readonly args: Arguments;
  readonly problem: Problem;
  readonly copy?: CardFields;
  readonly guest?: string;
}

/** A picture's bytes; `sent` once the server has them. */
export interface StoredPicture {
  readonly id: string;
  readonly space: string;
  readonly type: string;
  readonly bytes: ArrayBuffer;
  readonly sent: boolean;
}

/** A card's codes as modules; `codes` says what they were made from, `release` by which version of the drawing. */
export interface StoredDrawing {
  readonly card: string;
  readonly codes: string;
  readonly release: string;
  readonly drawn: readonly (Drawn | null)[];
}

/** Ids of a guest's cards that are copies of an account's, made `at` (ms) before a deletion nobody has answered yet. */
export interface Kept {
  readonly account: string;
  readonly ids: readonly string[];
  readonly at: number;
}

/** What a person has done with an offer. */
export type MarkKind = 'seen' | 'opened' | 'used';

/** By shop and offer (`slug/id`): each mark, and whether the server was told of it. */
export type Marks = Readonly<Record<string, { readonly [Kind in MarkKind]?: 'waiting' | 'told' }>>;

/**
 * The meta store's entries by key. `account` (signed in), `leaving` (names of databases to remove), `session-to-end` and
 * `kept` stand in the guest's database only.
 */
export interface Meta {
  client: { readonly id: string; readonly next: number };
  cookie: string;
  contained: number;
  era: number;
  account: Account;
  leaving: readonly string[];
  'session-to-end': boolean;
  kept: Kept;
  marks: Marks;
}

export interface Schema extends DBSchema {
  cards: { key: [string, string]; value: Row };
  tombstones: { key: [string, string]; value: Tombstone };
  uses: { key: string; value: CountedUse };
  meta: { key: string; value: unknown };
  queue: { key: number; value: Queued };
  refusals: { key: number; value: StoredRefusal };
  pictures: { key: string; value: StoredPicture };
  drawn: { key: string; value: StoredDrawing };
}

export type Database = IDBPDatabase<Schema>;
export type Store = StoreNames<Schema>;
export type Writing = IDBPTransaction<Schema, Store[], 'readwrite'>;
export type Reading = IDBPTransaction<Schema, Store[], 'readonly'>;

export const STORES: Store[] = ['cards', 'tombstones', 'uses', 'meta', 'queue', 'refusals', 'pictures', 'drawn'];
const VERSION = 2;

/** Opens (and makes) a database. `onLost` is called when the browser has dropped the connection. */
export function open(name: string, onLost: () => void): Promise<Database> {
  return openDB<Schema>(name, VERSION, {
    upgrade(db, before) {
      if (before < 1) {
        db.createObjectStore('cards', { keyPath: ['space', 'key'] });
        db.createObjectStore('meta');
        db.createObjectStore('queue', { keyPath: 'id' });
        db.createObjectStore('refusals', { keyPath: 'key', autoIncrement: true });
        db.createObjectStore('pictures', { keyPath: 'id' });
        db.createObjectStore('drawn', { keyPath: 'card' });
      }
      db.createObjectStore('tombstones', { keyPath: ['space', 'key'] });
      db.createObjectStore('uses', { keyPath: 'use' });
    },
    // Another tab removes or upgrades this database: holding on would block it.
    blocking: (_current, upgrade, event) => {
      (event.target as IDBDatabase).close();
      if (upgrade !== null) onLost();
    },
    terminated: onLost,
  });
}

export function remove(name: string): Promise<void> {
  return deleteDB(name);
}

/**
 * One all-or-nothing write; resolves when it is on the disk. `work` may await nothing but its transaction.
 * Throws `StorageFull` when the browser has no room.
 */
export async function write<T>(db: Database, stores: Store[], work: (tx: Writing) => Promise<T>): Promise<T> {
  const tx = db.transaction(stores, 'readwrite', { durability: 'strict' });
  const done = tx.done;
  done.catch(() => undefined);
  try {
    const result = await work(tx);
    await done;
    return result;
  } catch (error) {
    const cause = tx.error ?? error;
    abort(tx);
    throw isQuota(cause) ? new StorageFull('the device has no room left', { cause }) : cause;
  }
}

export async function read<T>(db: Database, stores: Store[], work: (tx: Reading) => Promise<T>): Promise<T> {
  const tx = db.transaction(stores, 'readonly');
  tx.done.catch(() => undefined);
  return work(tx);
}

export async function meta<Key extends keyof Meta>(tx: Reading | Writing, key: Key): Promise<Meta[Key] | undefined> {
  return (await tx.objectStore('meta').get(key)) as Meta[Key] | undefined;
}

export async function setMeta<Key extends keyof Meta>(
  tx: Writing, key: Key, value: Meta[Key] | undefined,
): Promise<void> {
  const store = tx.objectStore('meta');
  await (value === undefined ? store.delete(key) : store.put(value, key));
}

function abort(tx: Writing): void {
  try {
    tx.abort();
  } catch {
    // It has ended by itself.
  }
}

function isQuota(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}
