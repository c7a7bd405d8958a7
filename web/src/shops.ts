/** Shops to suggest: the server's best guesses while it answers, else a look into the country's list kept on the device. */
import { merchants, Offline, shopList } from './api';
import { fold } from './fold';
import type { Merchant } from './model';

interface Shop {
  readonly merchant: Merchant;
  readonly names: readonly string[];
}

let listed: Promise<readonly Shop[]> | undefined;

/** Fetches the country's list, which the service worker then keeps for when there is no network. */
export function prepareShops(): Promise<readonly Shop[]> {
  listed ??= fetchList().catch((error: unknown) => {
    listed = undefined;
    throw error;
  });
  return listed;
}

/** Shops that may be meant by what was typed so far, best first; none where neither server nor list is there. */
export async function suggestShops(typed: string, limit: number, signal: AbortSignal): Promise<readonly Merchant[]> {
  try {
    return plausible(await merchants(typed, country(), limit, signal));
  } catch (error) {
    if (!(error instanceof Offline)) throw error;
    return find(await prepareShops(), typed, limit);
  }
}

/** From here on the first guess is as good as certain, and far weaker ones are noise. */
const SURE = 0.6;
const NOISE = 1 / 3;

/** Without guesses far below a good first one, and with each name once: the first of it is the country's own. */
export function plausible(found: readonly Merchant[]): readonly Merchant[] {
  const best = found[0]?.score ?? 0;
  const least = best >= SURE ? best * NOISE : 0;
  return onceEach(found.filter(({ score }) => score >= least));
}

function onceEach(found: readonly Merchant[]): readonly Merchant[] {
  const seen = new Set<string>();
  return found.filter(({ name }) => !seen.has(fold(name)) && seen.add(fold(name)));
}

async function fetchList(): Promise<readonly Shop[]> {
  const list = await shopList(country());
  return list.merchants.map(([slug, name, aliases]) => ({
    merchant: { slug, name, score: 0, categories: [] },
    names: [name, ...aliases].map(fold),
  }));
}

/** Names that begin as typed come before names with a word that does, and those before names that hold it anywhere. */
export function find(shops: readonly Shop[], typed: string, limit: number): readonly Merchant[] {
  const wanted = fold(typed.trim());
  if (!wanted) return [];
  const ranked = shops.flatMap(({ merchant, names }) => {
    const rank = Math.min(...names.map((name) => rankOf(name, wanted)));
    return rank < NOWHERE ? [{ merchant, rank }] : [];
  });
  ranked.sort((one, other) => one.rank - other.rank);
  return onceEach(ranked.map(({ merchant }) => merchant)).slice(0, limit);
}

const NOWHERE = 3;

function rankOf(name: string, wanted: string): number {
  if (name.startsWith(wanted)) return 0;
  if (name.includes(` ${wanted}`)) return 1;
  return name.includes(wanted) ? 2 : NOWHERE;
}

/** The country of the browser's language, as ISO 3166-1 in lower case; `ru` alone means Russia. */
function country(): string | undefined {
  return new Intl.Locale(navigator.language).maximize().region?.toLowerCase();
}
