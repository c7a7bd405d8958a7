/**
 * Shops to suggest: the server's best guesses while it answers, else a look into the country's list kept on the device.
 */
import { ApiProblem, merchants, Offline, shopList, type ShopList } from './api';
import { country } from './country';
import type { Merchant } from './model';
import {
  INSIDE, loosePlace, nameKey, NOWHERE, place, readings, slipsTo, squashed, WORD, type Key, type Reading,
} from './near';
import { unmarked } from './normal';
import { programmes, type Programme } from './programmes';

/** A shop of the list. */
export class Shop {
  private keys: readonly Key[] | undefined;

  /** `calls`: what it is called, the name it is shown by first. */
  constructor(readonly merchant: Merchant, readonly calls: readonly string[]) {}

  /** Its names as they are compared, made when they are first asked for: most shops are never looked at. */
  get names(): readonly Key[] {
    this.keys ??= this.calls.map(nameKey);
    return this.keys;
  }
}

/** A country's shops, as kept on the device. */
export class Shops {
  private readonly bySlug: ReadonlyMap<string, Shop>;

  constructor(readonly all: readonly Shop[], private readonly merged: Readonly<Record<string, string>> = {}) {
    this.bySlug = new Map(all.map((shop) => [shop.merchant.slug, shop]));
  }

  /** The shop a card names, even by a slug that has gone into another; shops of other countries are not known. */
  get(slug: string): Shop | undefined {
    return this.bySlug.get(this.merged[slug] ?? slug);
  }

  /** The only shop that bears this very name in either alphabet, as an alias if none is shown by it. */
  named(name: string): Merchant | undefined {
    const wanted = squashed(name);
    if (!wanted) return undefined;
    const isIt = (other: string): boolean => squashed(other) === wanted;
    const shownBy = this.all.filter(({ merchant }) => isIt(merchant.name));
    const bearers = shownBy.length ? shownBy : this.all.filter(({ calls }) => calls.some(isIt));
    return bearers.length === 1 ? bearers[0]!.merchant : undefined;
  }
}

let listed: Promise<Shops> | undefined;

/** Fetches the country's list, which the service worker then keeps for when there is no network. */
export function knownShops(): Promise<Shops> {
  listed ??= fetchList().catch((error: unknown) => {
    listed = undefined;
    throw error;
  });
  return listed;
}

/** Shops compared without a break: a few milliseconds on a phone. */
const AT_ONCE = 100;

/** Does beforehand, between other things, what looking a shop up without a network would take long for. */
export async function prepareShops(): Promise<void> {
  const { all } = await knownShops();
  for (let from = 0; from < all.length; from += AT_ONCE) {
    for (const shop of all.slice(from, from + AT_ONCE)) void shop.names;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Shops that may be meant by what was typed so far, best first; none where neither server nor list is there. */
export async function suggestShops(text: string, limit: number, signal: AbortSignal): Promise<readonly Merchant[]> {
  try {
    return plausible(await merchants(text, country(), limit, signal));
  } catch (error) {
    if (!(error instanceof Offline) && !isBusy(error)) throw error;
    return find((await knownShops()).all, text, limit);
  }
}

/** The server is there and has no time: the list on the device answers instead. */
function isBusy(error: unknown): boolean {
  return error instanceof ApiProblem && (error.status === 429 || error.status >= 500);
}

type Scored = Pick<Merchant, 'name' | 'score'>;

/** From here on the first guess is as good as certain; what is so much weaker than the first is noise. */
const SURE = 0.6;
const NOISE_BESIDE_SURE = 1 / 3;
const NOISE = 1 / 8;
/** Where even the first guess is fainter, nothing is like what was typed. */
const FAINT = 0.015;

/** Without guesses far below the first one, and with each name once: the first of it is the country's own. */
export function plausible<Guess extends Scored>(found: readonly Guess[]): readonly Guess[] {
  const best = found[0]?.score ?? 0;
  const least = Math.max(FAINT, best * (best >= SURE ? NOISE_BESIDE_SURE : NOISE));
  return onceEach(found.filter(({ score }) => score >= least));
}

export function onceEach<Guess extends Scored>(found: readonly Guess[]): readonly Guess[] {
  const seen = new Set<string>();
  return found.filter(({ name }) => !seen.has(unmarked(name)) && seen.add(unmarked(name)));
}

/** What the entry of a shop begins with that the directory lacks. */
const UNLISTED = 'p-';

function rowOf(slug: string, [name = slug, ...aliases]: readonly string[]): ShopList['merchants'][number] {
  return [slug, name, aliases];
}

async function fetchList(): Promise<Shops> {
  const [list, clubs] = await Promise.all([shopList(country()), programmes().catch(() => new Map<string, Programme>())]);
  const known = new Set(list.merchants.map(([slug]) => slug));
  // Shops that nobody has listed may have a programme all the same.
  const own = [...clubs.values()].filter(({ slug }) => !known.has(slug) && slug.startsWith(UNLISTED));
  const rows = [...list.merchants, ...own.map(({ slug, name }) => rowOf(slug, Object.values(name)))];
  return new Shops(rows.map((row) => shopOf(...row)), list.merged);
}

export function shopOf(slug: string, name: string, aliases: readonly string[]): Shop {
  return new Shop({ slug, name, score: 0, categories: [] }, [name, ...aliases]);
}

/**
 * Without the server: exact names, names that begin as typed, that have a word which does, that hold it anywhere; where
 * none begins so, those a slip or two away. As typed comes before the other alphabet or layout, and a name before
 * another name that is longer.
 */
export function find(shops: readonly Shop[], text: string, limit: number): readonly Merchant[] {
  const asked = readings(text);
  if (!asked.length) return [];
  let found = ranked(shops, (key) => Math.min(...asked.map((reading) => standingOf(reading, key))));
  if (!found.some(({ rank }) => rank < INSIDE)) {
    const near = ranked(shops, (key) => Math.min(...asked.map(({ whole }) => NOWHERE + slipsTo(whole, key))));
    found = [...found, ...near];
  }
  return onceEach(found.map(({ merchant }) => merchant)).slice(0, limit);
}

/** Less than between a place and the next: the other alphabet or layout, and another name than the shop's first. */
const OTHER_LETTERS = 0.5;
const ALIAS = 0.1;

function standingOf({ asTyped, whole, words }: Reading, key: Key): number {
  const own = asTyped ? place(whole, key) : NOWHERE;
  const standing = own < WORD ? own : Math.min(own, loosePlace(whole, key) + OTHER_LETTERS);
  if (standing < NOWHERE || words.length === 1) return standing < NOWHERE ? standing : Infinity;
  return words.every((word) => loosePlace(word, key) <= WORD) ? INSIDE : Infinity;
}

interface Ranked { readonly merchant: Merchant; readonly rank: number; readonly length: number }

/** Of equals the shorter name comes first: more of it has been typed. */
function ranked(shops: readonly Shop[], rankOf: (key: Key) => number): Ranked[] {
  const found = shops.flatMap(({ merchant, names }): Ranked[] => {
    const ranks = names.map((key, at) => rankOf(key) + (at ? ALIAS : 0));
    const rank = Math.min(...ranks);
    const length = names[ranks.indexOf(rank)]?.[0]?.own.length ?? 0;
    return rank < Infinity ? [{ merchant, rank, length }] : [];
  });
  return found.sort((one, other) => one.rank - other.rank || one.length - other.length);
}
