/** The queue of named mutations and their numbers, and what the server said of them. */
import type { Problem } from '../model';
import { uuid7 } from '../ids';
import {
  meta, setMeta, write, type Arguments, type Database, type Mutation, type Queued, type StoredPicture, type Writing,
} from './database';
import { mutate, withFields } from './mutators';
import { cardKey } from './state';
import { noteUses } from './uses';

/** One mutation's outcome in a push answer. */
export interface Result {
  readonly id: number;
  readonly status: 'applied' | 'refused';
  readonly problem?: Problem;
}

/** Numbers the mutations and queues them, with the pictures they name, in one transaction. */
export function enqueue(
  db: Database, mutations: readonly Mutation[], pictures: readonly StoredPicture[],
): Promise<void> {
  return write(db, ['queue', 'meta', 'pictures'], async (tx) => {
    await append(tx, mutations);
    await Promise.all(pictures.map((picture) => tx.objectStore('pictures').put(picture)));
  });
}

/** Whether losing it would lose something the person did: that a card was shown is not. */
export function isUnsentEdit({ name, acknowledged }: Pick<Queued, 'name' | 'acknowledged'>): boolean {
  return !acknowledged && name !== 'card.use';
}

export async function append(tx: Writing, mutations: readonly Mutation[]): Promise<void> {
  const client = (await meta(tx, 'client')) ?? { id: uuid7(), next: 1 };
  const number = async (mutation: Mutation, index: number): Promise<unknown> =>
    tx.objectStore('queue').put({ ...mutation, id: client.next + index });
  const next = { id: client.id, next: client.next + mutations.length };
  await Promise.all([...mutations.map(number), setMeta(tx, 'client', next)]);
}

/** A guest has no queue: the mutation is made at once, on rows of their own. */
export function applyAsGuest(db: Database, mutation: Mutation, pictures: readonly StoredPicture[]): Promise<void> {
  return write(db, ['cards', 'pictures'], async (tx) => {
    const { space, id } = mutation.args;
    const row = await tx.objectStore('cards').get([space, cardKey(id)]);
    const value = mutate(row?.value, mutation);
    // Another tab has just taken the card into an account: whoever edits it here must hear that nothing was stored.
    if (!value) throw new Error(`no card ${id}`);
    await tx.objectStore('cards').put({ space, key: cardKey(id), version: (row?.version ?? 0) + 1, value });
    await Promise.all(pictures.map((picture) => tx.objectStore('pictures').put(picture)));
  });
}

/** Notes outcomes: what was applied waits for the pull that contains it, what was refused moves to the refusals. */
export function settle(db: Database, results: readonly Result[]): Promise<void> {
  return write(db, ['queue', 'refusals', 'meta', 'cards', 'tombstones', 'uses'], async (tx) => {
    const contained = (await meta(tx, 'contained')) ?? 0;
    for (const result of results) {
      const entry = await tx.objectStore('queue').get(result.id);
      if (entry && result.status === 'refused') await settleRefused(tx, entry, result.problem ?? { code: 'failed' });
      else if (entry) await settleApplied(tx, entry, contained);
    }
  });
}

async function settleApplied(tx: Writing, entry: Queued, contained: number): Promise<void> {
  const queue = tx.objectStore('queue');
  if (entry.id > contained) {
    await queue.put({ ...entry, acknowledged: true });
  } else {
    await Promise.all([queue.delete(entry.id), noteUses(tx, [entry])]);
  }
}

async function settleRefused(tx: Writing, entry: Queued, problem: Problem): Promise<void> {
  const queue = tx.objectStore('queue');
  if (problem.code === 'card-gone' && (await wasKept(tx, entry))) {
    await queue.put({ ...entry, acknowledged: true, gone: true });
    return;
  }
  // A card that could not be kept again needs no word of the bin it was to lie in.
  if (!entry.revives || entry.copy) await refuse(tx, entry, problem);
  await queue.delete(entry.id);
}

/** Whether there was a card to edit: one that was refused, or kept again in vain, never was. */
async function wasKept(tx: Writing, { args, copy, revives }: Queued): Promise<boolean> {
  const refusals = await tx.objectStore('refusals').getAll();
  const isRefused = refusals.some(({ name, args: { space, id } }) => (
    name === 'card.keep' && space === args.space && id === args.id
  ));
  return copy !== undefined && !revives && !isRefused;
}

/** Keeps refused data as a new mutation and drops the refusals it came from. */
export function requeue(
  db: Database, mutation: Mutation, pictures: readonly StoredPicture[], refusals: readonly number[],
): Promise<void> {
  return write(db, ['queue', 'meta', 'refusals', 'pictures'], async (tx) => {
    await append(tx, [mutation]);
    await Promise.all(pictures.map((picture) => tx.objectStore('pictures').put(picture)));
    await Promise.all(refusals.map((key) => tx.objectStore('refusals').delete(key)));
  });
}

export async function dropRefusal(db: Database, key: number): Promise<void> {
  await write(db, ['refusals'], (tx) => tx.objectStore('refusals').delete(key));
}

async function refuse(tx: Writing, entry: Queued, problem: Problem): Promise<void> {
  const { name, args, copy, guest } = entry;
  // That a card was shown is no edit of theirs: where it can no longer be counted, nobody misses it.
  if (name === 'card.use') return;
  await tx.objectStore('refusals').add({ name, args, problem, ...(copy && { copy }), ...(guest && { guest }) });
}

/**
 * Queues everything again under a new client id. Call after a pull under the old one: what was acknowledged and is
 * still here then, the server has lost.
 */
export function renumber(db: Database): Promise<void> {
  return write(db, ['queue', 'meta'], async (tx) => numberAnew(tx, [], await tx.objectStore('queue').getAll()));
}

/** Makes these the queue of a new client, the new ones first. */
export async function numberAnew(tx: Writing, fresh: readonly Mutation[], entries: readonly Queued[]): Promise<void> {
  await Promise.all([tx.objectStore('queue').clear(), setMeta(tx, 'client', undefined), setMeta(tx, 'contained', 0)]);
  await append(tx, [...fresh, ...entries.map(asNew)]);
}

/** The mutation as it was before it was numbered. */
export function asNew(entry: Queued): Mutation {
  const { id: _number, acknowledged: _seen, gone: _gone, ...mutation } = entry;
  return mutation;
}

/** The picture ids a mutation names. */
export function picturesOf(args: Arguments): string[] {
  const named = fieldsOf(args);
  return [named['front'], named['back']].filter((id): id is string => typeof id === 'string');
}

/** Takes pictures out of a queued mutation that has no receipt yet; with `problem`, a refusal tells of it. */
export function strip(db: Database, id: number, pictures: readonly string[], problem?: Problem): Promise<void> {
  return write(db, ['queue', 'refusals'], async (tx) => {
    const entry = await tx.objectStore('queue').get(id);
    if (!entry) return;
    await tx.objectStore('queue').put({ ...entry, args: without(entry.args, pictures) });
    // Without the copy: the edit itself goes on, so there is nothing to keep as a new card.
    if (problem) await tx.objectStore('refusals').add({ name: entry.name, args: entry.args, problem });
  });
}

function without(args: Arguments, pictures: readonly string[]): Arguments {
  const fields = fieldsOf(args);
  const lost = Object.keys(fields).filter((name) => pictures.includes(fields[name] as string));
  const kept = withFields(fields, Object.fromEntries(lost.map((name) => [name, undefined])));
  return { ...args, [args['card'] ? 'card' : 'fields']: kept };
}

function fieldsOf(args: Arguments): Record<string, unknown> {
  return (args['card'] ?? args['fields'] ?? {}) as Record<string, unknown>;
}
