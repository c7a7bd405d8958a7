/** Codes drawn once and kept beside their card, so that the till needs no drawing library. Never synced. */
import type { Card, Code, Drawn } from '../model';
import { write, type Database } from './database';

export type Draw = (code: Code) => Promise<Drawn>;
export type Drawings = readonly (Drawn | null)[];

/** What draws, and the release it belongs to: a code one release cannot draw is tried again by the next. */
export interface Pen {
  readonly release: string;
  /** Rejects when the library cannot be loaded just now, which says nothing about the code. */
  load(): Promise<Draw>;
}

/** The card's kept drawings; undefined where they are missing or out of date. */
export async function kept(db: Database, card: Card, release: string): Promise<Drawings | undefined> {
  if (!card.codes.length) return [];
  const drawing = await db.get('drawn', card.id);
  if (drawing?.codes !== fingerprint(card.codes)) return undefined;
  return drawing.release === release || drawing.drawn.every(Boolean) ? drawing.drawn : undefined;
}

/** Draws the card's codes and keeps them. */
export async function drawCodes(db: Database, card: Card, pen: Pen): Promise<Drawings> {
  const draw = await pen.load();
  const drawn = await Promise.all(card.codes.map((code) => draw(code).catch(() => null)));
  const drawing = { card: card.id, codes: fingerprint(card.codes), release: pen.release, drawn };
  await write(db, ['drawn'], (tx) => tx.objectStore('drawn').put(drawing));
  return drawn;
}

/** Drops the drawings of cards that are gone. */
export function forgetOthers(db: Database, cards: readonly Card[]): Promise<void> {
  const ids = new Set(cards.map((card) => card.id));
  return write(db, ['drawn'], async (tx) => {
    const gone = (await tx.objectStore('drawn').getAllKeys()).filter((id) => !ids.has(id));
    await Promise.all(gone.map((id) => tx.objectStore('drawn').delete(id)));
  });
}

function fingerprint(codes: readonly Code[]): string {
  return JSON.stringify(codes.map(({ format, text, raw, encoding, gs1 }) => [format, text, raw, encoding, gs1]));
}
