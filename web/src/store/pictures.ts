/** Photos of cards on the device: made small before they are kept, stored as bytes, dropped when nothing names them. */
import { uuid7 } from '../ids';
import { write, type CardBody, type Database, type StoredPicture, type Writing } from './database';
import { picturesOf } from './queue';

export interface Sides<T> {
  readonly front?: T;
  readonly back?: T;
}

/** Browsers differ in how well they keep Blobs in IndexedDB; bytes are safe everywhere. */
export async function stored(picture: Blob, space: string, id = uuid7(), sent = false): Promise<StoredPicture> {
  return { id, space, type: picture.type, bytes: await picture.arrayBuffer(), sent };
}

export function blobOf(picture: StoredPicture): Blob {
  return new Blob([picture.bytes], { type: picture.type });
}

/** Of the sides given, the pictures to store and the fields that name them. */
export async function prepare(
  sides: Sides<Blob>, space: string, shrink: (picture: Blob) => Promise<Blob>,
): Promise<{ pictures: StoredPicture[]; fields: Sides<string> }> {
  const pictures: StoredPicture[] = [];
  const fields: { front?: string; back?: string } = {};
  for (const side of ['front', 'back'] as const) {
    const given = sides[side];
    if (!given) continue;
    const picture = await stored(await shrink(given), space);
    fields[side] = picture.id;
    pictures.push(picture);
  }
  return { pictures, fields };
}

/** The card's pictures once more, under new ids in another space, and the fields that name them. */
export async function anew(
  db: Database, card: Sides<string>, space: string,
): Promise<{ pictures: StoredPicture[]; fields: Sides<string> }> {
  const pictures: StoredPicture[] = [];
  const fields: { front?: string; back?: string } = {};
  for (const side of ['front', 'back'] as const) {
    const here = card[side] && (await db.get('pictures', card[side]));
    if (!here) continue;
    fields[side] = uuid7();
    pictures.push({ ...here, id: fields[side], space, sent: false });
  }
  return { pictures, fields };
}

/** Drops pictures that no card, no queued edit and no refusal names. */
export function collect(db: Database): Promise<void> {
  return write(db, ['cards', 'queue', 'refusals', 'pictures'], async (tx) => {
    const [ids, named] = await Promise.all([tx.objectStore('pictures').getAllKeys(), namedIn(tx)]);
    await Promise.all(ids.filter((id) => !named.has(id)).map((id) => tx.objectStore('pictures').delete(id)));
  });
}

async function namedIn(tx: Writing): Promise<Set<string>> {
  const [rows, queue, refusals] = await Promise.all([
    tx.objectStore('cards').getAll(),
    tx.objectStore('queue').getAll(),
    tx.objectStore('refusals').getAll(),
  ]);
  return new Set([
    ...rows.flatMap(({ value }) => sides(value)),
    ...queue.flatMap(({ args }) => picturesOf(args)),
    ...refusals.flatMap(({ copy }) => (copy ? sides(copy) : [])),
  ]);
}

function sides({ front, back }: CardBody): string[] {
  return [front, back].filter((id) => id !== undefined);
}
