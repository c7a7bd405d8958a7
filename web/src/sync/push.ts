/**
 * Push: sends the queue in order until every mutation's outcome is known.
 *
 *     next batch -> upload its pictures -> send -> 200  settle -> next batch
 *                                               -> 409  gap              resend from `expected`, or renumber
 *                                                       client-forked    settle what stands before it, renumber the rest
 *                                                       picture-missing  upload again, or go without the picture
 *                                                       upgrade-needed   settle what stands before it, then stop
 */
import { ApiProblem } from '../api';
import { meta, read, type Queued } from '../store/database';
import { renumber, settle, strip, type Result } from '../store/queue';
import type { PullOutcome, Server } from './pull';
import { upload } from './pictures';

const BATCH_MUTATIONS = 500;
/** Half of what a cautious proxy lets through. */
const BATCH_BYTES = 512 * 1024;
/** The same conflict more often than this in one push means the two sides do not understand each other. */
const PATIENCE = 3;

export interface Pusher extends Server {
  /** Called with the guest's card ids whose receipts have come, before they leave the queue. */
  readonly onAdopted: (ids: readonly string[]) => Promise<void>;
  /** Called when outcomes have been noted. */
  readonly onSettled: () => void;
  readonly pull: () => Promise<PullOutcome>;
}

/** Throws the problem that stopped it: `Offline`, or an `ApiProblem` such as `upgrade-needed`. */
export async function push(pusher: Pusher): Promise<void> {
  const met = new Map<string, number>();
  for (let from = 0; ; ) {
    const { client, batch } = await nextBatch(pusher, from);
    if (!batch.length) return;
    if ((await upload(pusher, batch)).stripped) continue;
    const answer = await send(pusher, client, batch);
    if (answer instanceof ApiProblem) {
      from = await resolve(pusher, batch, losingPatience(met, answer));
    } else {
      await note(pusher, batch, answer);
      from = 0;
    }
  }
}

function losingPatience(met: Map<string, number>, problem: ApiProblem): ApiProblem {
  const mark = `${problem.code} ${problem.extra['id']} ${problem.extra['expected']}`;
  const times = (met.get(mark) ?? 0) + 1;
  if (times > PATIENCE) throw problem;
  met.set(mark, times);
  return problem;
}

async function nextBatch({ db }: Pusher, from: number): Promise<{ client: string; batch: Queued[] }> {
  return read(db, ['queue', 'meta'], async (tx) => {
    const [entries, client] = await Promise.all([tx.objectStore('queue').getAll(), meta(tx, 'client')]);
    const unsent = entries.filter((entry) => !entry.acknowledged && entry.id >= from);
    return { client: client?.id ?? '', batch: withinLimits(unsent) };
  });
}

function withinLimits(entries: readonly Queued[]): Queued[] {
  let bytes = 0;
  const fits = (entry: Queued, index: number): boolean => {
    bytes += JSON.stringify(entry.args).length;
    return index === 0 || bytes <= BATCH_BYTES;
  };
  const end = entries.slice(0, BATCH_MUTATIONS).findIndex((entry, index) => !fits(entry, index));
  return entries.slice(0, end < 0 ? BATCH_MUTATIONS : end);
}

async function send(pusher: Pusher, client: string, batch: readonly Queued[]): Promise<Result[] | ApiProblem> {
  const mutations = batch.map(({ id, name, args }) => ({ id, name, args }));
  const call = { method: 'POST', query: { account: pusher.account }, json: { client, mutations } } as const;
  try {
    return (await pusher.api.json<{ results: Result[] }>('/api/sync/push', call)).results;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 409 && error.code in CONFLICTS) return error;
    throw error;
  }
}

async function note(pusher: Pusher, batch: readonly Queued[], results: readonly Result[]): Promise<void> {
  const sent = new Map(batch.map((entry) => [entry.id, entry]));
  const known = results.filter((result) => sent.has(result.id));
  if (!known.length) throw new ApiProblem({ code: 'failed', status: 502, detail: 'the answer names no sent mutation' });
  const applied = known.filter((result) => result.status === 'applied');
  const adopted = applied.flatMap((result) => sent.get(result.id)?.guest ?? []);
  // The guest's copy goes first: a break in between repeats the push, and a repeated push is harmless.
  if (adopted.length) await pusher.onAdopted(adopted);
  await settle(pusher.db, known);
  pusher.onSettled();
}

/** Makes the next attempt possible, or throws the problem. Answers the number to go on from; 0 is the queue's first. */
type Resolve = (pusher: Pusher, batch: readonly Queued[], problem: ApiProblem) => Promise<number>;

const CONFLICTS: Readonly<Record<string, Resolve>> = {
  gap: onGap,
  'client-forked': onForked,
  'picture-missing': onPictureMissing,
  'upgrade-needed': onUpgradeNeeded,
};

function resolve(pusher: Pusher, batch: readonly Queued[], problem: ApiProblem): Promise<number> {
  return CONFLICTS[problem.code]!(pusher, batch, problem);
}

async function onGap(pusher: Pusher, batch: readonly Queued[], problem: ApiProblem): Promise<number> {
  const expected = Number(problem.extra['expected']);
  if (batch.some((entry) => entry.id === expected) && batch[0]!.id !== expected) return expected;
  // The server has forgotten numbers this queue has let go of: it was restored from a backup.
  return startAnew(pusher);
}

/** What both copies of the queue have in common has its outcome: sent anew it would overwrite what came after it. */
async function onForked(pusher: Pusher, batch: readonly Queued[], problem: ApiProblem): Promise<number> {
  await settleBefore(pusher, batch, problem);
  return startAnew(pusher);
}

async function startAnew(pusher: Pusher): Promise<number> {
  // A pull that tells of a restore has numbered the queue anew already.
  if (!(await pusher.pull()).restored) await renumber(pusher.db);
  return 0;
}

async function onPictureMissing(pusher: Pusher, batch: readonly Queued[], problem: ApiProblem): Promise<number> {
  const entry = batch.find(({ id }) => id === problem.extra['id']);
  if (!entry) throw problem;
  const { lost } = await upload(pusher, [entry], { again: true });
  if (lost.length) await strip(pusher.db, entry.id, lost);
  return 0;
}

async function onUpgradeNeeded(pusher: Pusher, batch: readonly Queued[], problem: ApiProblem): Promise<number> {
  await settleBefore(pusher, batch, problem);
  throw problem;
}

/** Asks for the outcomes of the mutations before the one that the problem is about. */
async function settleBefore(pusher: Pusher, batch: readonly Queued[], problem: ApiProblem): Promise<void> {
  const before = batch.filter(({ id }) => id < Number(problem.extra['id']));
  if (!before.length) return;
  const { client } = await nextBatch(pusher, 0);
  const answer = await send(pusher, client, before);
  if (!(answer instanceof ApiProblem)) await note(pusher, before, answer);
}
