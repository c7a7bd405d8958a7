/**
 * What a device tells the server once more: all that a restore from backup has lost, and cards that were purged while
 * an edit of them was still on its way.
 */
import { FIELDS, type CardFields, type OfferWish } from '../model';
import {
  wishArguments, type Arguments, type CardBody, type Mutation, type Queued, type Row, type StoredRefusal, type Writing,
} from './database';
import { timestamp } from '../ids';
import { sparse } from './fields';
import type { Operation } from './patch';
import { rowOf } from './place';
import { asNew } from './queue';
import { cardKey, idOf, WISHES, wishesIn } from './state';

/** Highest version of each space that the backup knew. */
export type Known = Readonly<Record<string, number>>;

type Standing = Exclude<Operation, { op: 'clear' }>;

/** Mutations to queue, and fields that others have set since, which stay theirs. */
export interface ToldAgain {
  readonly mutations: readonly Mutation[];
  readonly refusals: readonly StoredRefusal[];
}

/**
 * Every card, deletion and use of this device's above the known versions, as mutations of what the server has now. A
 * card nobody has touched since the restore becomes what it was; of one that somebody has, only empty fields are
 * filled, since this device may have been away for long, and the rest is kept for the person to judge.
 */
export async function toldAgain(tx: Writing, known: Known, patch: readonly Operation[]): Promise<ToldAgain> {
  const [rows, tombstones, uses] = await Promise.all([
    tx.objectStore('cards').getAll(),
    tx.objectStore('tombstones').getAll(),
    tx.objectStore('uses').getAll(),
  ]);
  const isLost = ({ space, version }: { space: string; version: number }): boolean => version > (known[space] ?? 0);
  const there = new There(patch, isLost);
  const held = rows.filter((row) => isLost(row) && idOf(row.key) !== undefined);
  const told = held.map((row) => cardAgain(row, there));
  const wishes = rows.filter((row) => row.key === WISHES && isLost(row))
    .flatMap((row) => wishesAgain(row, there.at(row.space, row.key), isLost));
  // A card that stands elsewhere was moved from there, which is told with the card.
  const left = new Set(rows.map(({ key }) => key));
  const gone = tombstones.filter((one) => isLost(one) && !left.has(one.key));
  const binned = gone.flatMap(({ space, key }) => binAgain(there.at(space, key)));
  const here = new Map(held.map(({ space, key }) => [key, space]));
  const used = uses.filter(({ args }) => here.has(cardKey(args.id)));
  const lostUses = used.filter(({ args, version }) => isLost({ space: args.space, version }));
  await Promise.all(lostUses.map(({ use }) => tx.objectStore('uses').delete(use)));
  const usedAgain = lostUses.map(({ args }) => made('card.use', { ...args, space: here.get(cardKey(args.id))! }));
  const mutations = [...told.flatMap((one) => one.mutations), ...usedAgain, ...wishes];
  return { mutations: [...mutations, ...binned], refusals: told.flatMap((one) => one.refusals) };
}

/** What stands on the restored server. */
class There {
  private readonly places: ReadonlyMap<string, Standing>;
  private readonly cards: ReadonlyMap<string, Row>;

  constructor(patch: readonly Operation[], readonly isTouched: (one: { space: string; version: number }) => boolean) {
    const standing = patch.filter((one) => one.op !== 'clear');
    this.places = new Map(standing.map((one) => [placeOf(one.space, one.key), one]));
    this.cards = new Map(standing.flatMap((one) => (one.op === 'put' ? [[one.key, one]] : [])));
  }

  at(space: string, key: string): Standing | undefined {
    return this.places.get(placeOf(space, key));
  }

  /** The card, whatever space it is in. */
  card(key: string): Row | undefined {
    return this.cards.get(key);
  }
}

function cardAgain(row: Row, there: There): ToldAgain {
  const standing = there.at(row.space, row.key);
  if (standing?.op === 'put') return differenceAgain(row, standing, there.isTouched(standing));
  const isTouched = standing !== undefined && there.isTouched(standing);
  const elsewhere = there.card(row.key);
  if (elsewhere) return moveAgain(row, elsewhere, isTouched, there.isTouched(elsewhere));
  const { space, value } = row;
  const args = { space, id: idOf(row.key)! };
  const card = sparse(value);
  // Another device may come first, with more or less than this one holds.
  const keep = { ...made('card.keep', { ...args, card, base: 0 }), copy: card };
  // Purged since: whoever wants it back finds it in the bin.
  const isBinned = value.binned_at !== undefined || isTouched;
  return { mutations: isBinned ? [keep, made('card.bin', args)] : [keep], refusals: [] };
}

/** A card whose move was lost moves again, unless somebody has moved it since. */
function moveAgain(row: Row, elsewhere: Row, isMovedSince: boolean, isTouched: boolean): ToldAgain {
  const { space } = elsewhere;
  if (isMovedSince) return differenceAgain({ ...row, space }, elsewhere, isTouched);
  const { mutations, refusals } = differenceAgain(row, elsewhere, isTouched);
  const move = made('card.move', { space, id: idOf(row.key)!, to: row.space });
  return { mutations: [{ ...move, copy: sparse(row.value) }, ...mutations], refusals };
}

function differenceAgain(row: Row, { value: there, version: base }: Row, isTouched: boolean): ToldAgain {
  const args = { space: row.space, id: idOf(row.key)! };
  const copy = sparse(row.value);
  const differing = FIELDS.filter((field) => JSON.stringify(row.value[field]) !== JSON.stringify(there[field]));
  const mine = isTouched ? differing.filter((field) => there[field] === undefined) : differing;
  const theirs = differing.filter((field) => !mine.includes(field) && row.value[field] !== undefined);
  const mutations = [
    ...(mine.length ? [{ ...made('card.set', { ...args, fields: pick(row.value, mine), base }), copy }] : []),
    ...binDifference(args, row.value, there, isTouched),
  ];
  if (!theirs.length) return { mutations, refusals: [] };
  const problem = { code: 'changed-since-restore' };
  return { mutations, refusals: [{ name: 'card.set', args: { ...args, fields: pick(row.value, theirs) }, problem, copy }] };
}

/** A deletion can be taken back, so it is said again in any case; the bin is not emptied of what others have put in. */
function binDifference(args: Arguments, mine: CardBody, there: CardBody, isTouched: boolean): Mutation[] {
  if (mine.binned_at && !there.binned_at) return [made('card.bin', args)];
  return there.binned_at && !mine.binned_at && !isTouched ? [made('card.restore', args)] : [];
}

/** Where somebody has set wishes since, a shop is muted that either has muted: silence does no harm. */
function wishesAgain(row: Row, standing: Standing | undefined, isLost: (one: Standing) => boolean): Mutation[] {
  const there = standing?.op === 'put' ? standing : undefined;
  const [mine, theirs] = [wishesIn(row), wishesIn(there)];
  const muted = mine.muted.filter((slug) => !theirs.muted.includes(slug));
  const heard = theirs.muted.filter((slug) => !mine.muted.includes(slug));
  const untouched: OfferWish[] = standing && isLost(standing) ? [] : [
    ...heard.map((slug) => ({ slug, muted: false })),
    ...(mine.notices === theirs.notices ? [] : [{ notices: mine.notices }]),
  ];
  const wishes: OfferWish[] = [...muted.map((slug) => ({ slug, muted: true })), ...untouched];
  return wishes.map((wish) => made('offers.wish', wishArguments(row.space, wish)));
}

function binAgain(standing: Standing | undefined): Mutation[] {
  const id = standing?.op === 'put' && !standing.value.binned_at ? idOf(standing.key) : undefined;
  return id === undefined ? [] : [made('card.bin', { space: standing!.space, id })];
}

/**
 * For an edit refused because its card was purged: the whole card once more, in the bin, and the edit with it. The
 * first edit brings the card; what else was on its way follows. `entries` is the queue before the pull: another device
 * may have brought the card back meanwhile, so that what was set here later stands already.
 */
export async function keptAgain(tx: Writing, entry: Queued, entries: readonly Queued[]): Promise<Mutation[]> {
  const { space, id } = entry.args;
  const row = await rowOf(tx, entry.args);
  // It was moved, so long ago that the server has forgotten where to.
  if (row && row.space !== space) return notSetSince({ ...entry, args: { ...entry.args, space: row.space } }, entries);
  const queue = await tx.objectStore('queue').getAll();
  const isOnItsWay = queue.some(({ name, args, acknowledged }) => (
    name === 'card.keep' && !acknowledged && args.space === space && args.id === id
  ));
  const edit = entry.name === 'card.bin' ? [] : notSetSince(entry, entries);
  if (isOnItsWay || !entry.copy) return edit;
  const keep = { ...made('card.keep', { space, id, card: entry.copy }), copy: entry.copy };
  return [keep, made('card.bin', { space, id }), ...edit].map((mutation) => ({ ...mutation, revives: true }));
}

function notSetSince(entry: Queued, entries: readonly Queued[]): Mutation[] {
  const edit = { ...asNew(entry), revives: true as const };
  const { fields } = entry.args;
  if (!fields) return [edit];
  const later = entries.filter(({ id, revives, args }) => id > entry.id && !revives && args.id === entry.args.id);
  const set = new Set(later.flatMap(({ args }) => Object.keys(args.fields ?? {})));
  const left = Object.fromEntries(Object.entries(fields).filter(([name]) => !set.has(name)));
  return Object.keys(left).length ? [{ ...edit, args: { ...edit.args, fields: left } }] : [];
}

function made(name: Mutation['name'], args: Arguments): Mutation {
  return { name, args, made_at: timestamp() };
}

function pick(body: CardBody, fields: readonly (keyof CardFields)[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, body[field] ?? null]));
}

function placeOf(space: string, key: string): string {
  return `${space}/${key}`;
}
