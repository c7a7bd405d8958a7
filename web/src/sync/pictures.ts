/** Pictures between the device and the server: up before the mutation that names them, down in the background. */
import { ApiProblem } from '../api';
import type { Card } from '../model';
import { write, type Database, type Queued, type StoredPicture } from '../store/database';
import { blobOf, stored } from '../store/pictures';
import { picturesOf, strip } from '../store/queue';
import type { Server } from './pull';

export interface Uploaded {
  /** Pictures neither the device nor the server can bring: the mutation has to go without them. */
  readonly lost: readonly string[];
  /** A picture the server will never take was cut out of its mutation: the batch must be read again. */
  readonly stripped: boolean;
}

type Fate = 'sent' | 'lost' | 'stripped';

/** Uploads the pictures these mutations name, once each; with `again`, even those believed to be there. */
export async function upload(server: Server, batch: readonly Queued[], { again = false } = {}): Promise<Uploaded> {
  const lost: string[] = [];
  let stripped = false;
  for (const entry of batch) {
    for (const id of picturesOf(entry.args)) {
      const picture = await server.db.get('pictures', id);
      const fate = !picture ? 'lost' : again || !picture.sent ? await uploadOne(server, entry, picture) : 'sent';
      if (fate === 'lost') lost.push(id);
      stripped ||= fate === 'stripped';
    }
  }
  return { lost, stripped };
}

async function uploadOne(server: Server, entry: Queued, picture: StoredPicture): Promise<Fate> {
  const { api, db, account } = server;
  const call = { method: 'PUT', query: { account }, body: blobOf(picture) } as const;
  try {
    await api.tell(`/api/pictures/${picture.space}/${picture.id}`, call);
  } catch (error) {
    if (!(error instanceof ApiProblem)) throw error;
    if (error.status === 413 || error.status === 415) {
      await strip(db, entry.id, [picture.id], error.problem);
      return 'stripped';
    }
    // No such space for this person, or one where they only look: the mutation itself will be refused, and tell.
    if (error.status === 404 || error.code === 'view-only') return 'lost';
    if (error.code !== 'picture-exists') throw error;
  }
  await markSent(db, picture);
  return 'sent';
}

async function markSent(db: Database, picture: StoredPicture): Promise<void> {
  await write(db, ['pictures'], (tx) => tx.objectStore('pictures').put({ ...picture, sent: true }));
}

/** Fetches one picture and keeps it; undefined where the server has none. */
export async function download(server: Server, space: string, id: string): Promise<StoredPicture | undefined> {
  const { api, db, account } = server;
  try {
    const blob = await api.blob(`/api/pictures/${space}/${id}`, { query: { account } });
    const picture = await stored(blob, space, id, true);
    await write(db, ['pictures'], (tx) => tx.objectStore('pictures').put(picture));
    return picture;
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) return undefined;
    throw error;
  }
}

/** Pictures the cards name and the device lacks, as (space, id). */
export async function missing(db: Database, cards: readonly Card[]): Promise<[space: string, id: string][]> {
  const here = new Set(await db.getAllKeys('pictures'));
  return cards
    .flatMap(({ space, front, back }) => [front, back].flatMap((id): [string, string][] => (id ? [[space, id]] : [])))
    .filter(([, id]) => !here.has(id));
}
