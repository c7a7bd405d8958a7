/** Whose data is open, whose is being wiped, and the guest's cards: all of it stands in the guest's database. */
import type { Account, Card } from '../model';
import { BIN_DAYS, UnsentChanges } from '../model';
import {
  meta, read, remove, setMeta, STORES, write, type Database, type Mutation, type Queued, type Row,
  type StoredPicture, type Writing,
} from './database';
import { append, isUnsentEdit } from './queue';
import { cardKey } from './state';
import { timestamp, uuid7 } from '../ids';
import { sparse } from './fields';

/** How long a wipe waits for other tabs to let go; what is left is finished at the next start. */
const WIPE_PATIENCE_MS = 3_000;

const BIN_MS = BIN_DAYS * 86_400_000;

/** Stands for a space in a guest's rows; it is no server's. */
const GUEST = 'guest';

/** Whose data this is: its database and the space new cards go to. */
export interface Owner {
  readonly database: string;
  readonly space: string;
  readonly account: Account | null;
}

export function guestOf(databases: string): Owner {
  return { database: `${databases}-${GUEST}`, space: GUEST, account: null };
}

export function ownerOf(account: Account, databases: string): Owner {
  return { database: `${databases}-${account.id}`, space: account.space, account };
}

export function current(guest: Database): Promise<Account | undefined> {
  return read(guest, ['meta'], (tx) => meta(tx, 'account'));
}

/** The account's database is called `name`. */
export function become(guest: Database, account: Account, name: string): Promise<void> {
  return write(guest, ['meta'], async (tx) => {
    await setMeta(tx, 'account', account);
    // Who left and is back before their database was removed needs it again.
    await forget(tx, name);
    // The new session's cookie has taken the old one's place.
    await setMeta(tx, 'session-to-end', undefined);
  });
}

export function sessionToEnd(guest: Database): Promise<boolean> {
  return read(guest, ['meta'], async (tx) => (await meta(tx, 'session-to-end')) ?? false);
}

export function sessionEnded(guest: Database): Promise<void> {
  return write(guest, ['meta'], (tx) => setMeta(tx, 'session-to-end', undefined));
}

/**
 * Empties the account's database and notes that it has to go. With `unlessUnsent`, throws `UnsentChanges` instead if an
 * edit came in from another tab meanwhile: looking and emptying are one transaction.
 */
export async function leave(guest: Database, db: Database, unlessUnsent: boolean): Promise<void> {
  await write(db, STORES, async (tx) => {
    if (unlessUnsent) await refuseIfUnsent(tx.objectStore('queue').getAll(), tx.objectStore('refusals').count());
    await Promise.all(STORES.map((store) => tx.objectStore(store).clear()));
  });
  await write(guest, ['meta'], async (tx) => {
    const leaving = (await meta(tx, 'leaving')) ?? [];
    await setMeta(tx, 'leaving', [...leaving.filter((name) => name !== db.name), db.name]);
    await setMeta(tx, 'session-to-end', true);
    await setMeta(tx, 'account', undefined);
    // Whose copies these are has gone: from now on they are the guest's.
    await setMeta(tx, 'kept', undefined);
  });
}

async function refuseIfUnsent(
  entries: Promise<readonly Queued[]>, refusals: Promise<number>,
): Promise<void> {
  const [queue, refused] = await Promise.all([entries, refusals]);
  const waiting = queue.filter(isUnsentEdit).length;
  if (waiting || refused) throw new UnsentChanges(waiting, refused);
}

/** Removes the databases of those who left. A tab that still holds one delays it to the next start. */
export async function removeLeft(guest: Database): Promise<void> {
  const leaving = await read(guest, ['meta'], async (tx) => (await meta(tx, 'leaving')) ?? []);
  for (const name of leaving) {
    if (await within(WIPE_PATIENCE_MS, remove(name))) await write(guest, ['meta'], (tx) => forget(tx, name));
  }
}

async function forget(tx: Writing, name: string): Promise<void> {
  const leaving = (await meta(tx, 'leaving')) ?? [];
  const others = leaving.filter((other) => other !== name);
  await setMeta(tx, 'leaving', others.length ? others : undefined);
}

function within(ms: number, work: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    work.then(() => resolve(true), () => resolve(false)).finally(() => clearTimeout(timer));
  });
}

/**
 * Puts the guest's cards into the account's queue under their own ids, pictures too, in one transaction. The guest's
 * copies stay until their receipts come. Cards already queued by an earlier attempt are left out.
 */
export async function adoptCards(
  db: Database, cards: readonly Card[], pictures: readonly StoredPicture[], space: string,
): Promise<void> {
  await write(db, ['queue', 'meta', 'pictures'], async (tx) => {
    const queued = new Set((await tx.objectStore('queue').getAll()).map((entry) => entry.guest));
    const fresh = cards.filter((card) => !queued.has(card.id));
    await append(tx, fresh.flatMap((card) => adoption(card, space)));
    await Promise.all(pictures.map((picture) => tx.objectStore('pictures').put({ ...picture, space, sent: false })));
  });
}

/** The receipt of `card.keep` says the card is safe; its last use follows, so that the recent ones keep their order. */
function adoption(card: Card, space: string): Mutation[] {
  const made_at = card.created_at ?? timestamp();
  const fields = sparse(card);
  const { id } = card;
  const keep: Mutation = { name: 'card.keep', args: { space, id, card: fields }, made_at, copy: fields, guest: id };
  if (!card.last_used_at) return [keep];
  return [keep, { name: 'card.use', args: { space, id, use: uuid7(), at: card.last_used_at }, made_at }];
}

/** Drops what has lain in the guest's bin for its time; an account's bin is the server's to empty. */
export function purgeBin(guest: Database): Promise<void> {
  return write(guest, ['cards'], async (tx) => {
    const isOver = ({ value }: Row): boolean => Date.parse(value.binned_at ?? '') + BIN_MS < Date.now();
    const over = (await tx.objectStore('cards').getAll()).filter(isOver);
    await Promise.all(over.map(({ space, key }) => tx.objectStore('cards').delete([space, key])));
  });
}

/** Drops guest's cards whose receipts have come, with the pictures only they named. */
export function forgetGuestCards(guest: Database, ids: readonly string[]): Promise<void> {
  return write(guest, ['cards'], async (tx) => {
    await Promise.all(ids.map((id) => tx.objectStore('cards').delete([GUEST, cardKey(id)])));
  });
}

