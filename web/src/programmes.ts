/** Loyalty programmes of shops that cards can be connected to: the list kept on the device, one shop's page when opened. */
import { browserApi, PROGRAMMES_PATH } from './api';
import type { Card, Policy, Texts, Unit } from './model';

export interface Programme {
  readonly slug: string;
  readonly name: Texts;
  readonly colour?: string | null;
  /** The address of a picture. */
  readonly logo?: string | null;
  /** The first is offered first. */
  readonly policies: readonly Policy[];
  readonly unit: Unit;
  readonly number: { readonly from: 'printed' | 'payload'; readonly form: 'digits' | 'alphanumeric' };
}

export interface Outlet {
  readonly id: string;
  readonly name: string;
  readonly address?: string | null;
  readonly lat?: number | null;
  readonly lon?: number | null;
  readonly hours?: string | null;
}

/** All that a shop says of itself. */
export interface ProgrammePage extends Programme {
  readonly about?: Texts | null;
  readonly site?: string | null;
  readonly phone?: string | null;
  readonly email?: string | null;
  readonly tiers?: readonly { readonly id: string; readonly name: Texts }[];
  readonly outlets?: readonly Outlet[];
}

/** A page may stay open for days. */
const FRESH_MS = 3_600_000;

let listed: { readonly at: number; readonly all: Promise<ReadonlyMap<string, Programme>> } | undefined;

/** By slug; fetched anew when it is an hour old, and kept by the service worker for when there is no network. */
export function programmes(): Promise<ReadonlyMap<string, Programme>> {
  if (listed && Date.now() - listed.at < FRESH_MS) return listed.all;
  const before = listed;
  const all = fetchList().catch((error: unknown) => {
    listed = before;
    if (before) return before.all;
    throw error;
  });
  listed = { at: Date.now(), all };
  return all;
}

async function fetchList(): Promise<ReadonlyMap<string, Programme>> {
  const { programmes: all } = await browserApi.json<{ programmes: Programme[] }>(PROGRAMMES_PATH);
  return new Map(all.map((one) => [one.slug, one]));
}

/** The programme of the card's shop, also where the card names it by a former slug. */
export async function programmeOf({ live, merchant }: Pick<Card, 'live' | 'merchant'>): Promise<Programme | undefined> {
  const slug = live?.slug ?? merchant;
  if (!slug) return undefined;
  const all = await programmes();
  const found = all.get(slug);
  if (found || !all.size) return found;
  const { knownShops } = await import('./shops');
  const shop = (await knownShops().catch(() => undefined))?.get(slug);
  return shop && all.get(shop.merchant.slug);
}

/** Rejects with `ApiProblem` (`not-found`) or `Offline`. */
export function programmePage(slug: string): Promise<ProgrammePage> {
  return browserApi.json(`/api/programmes/${slug}`);
}

/** Where a picture of a shop's is: an offer names it by its id alone. */
export function pictureAddress(picture: string): string {
  return picture.startsWith('/') ? picture : `/api/partner-pictures/${picture}`;
}

export interface Place { readonly lat: number; readonly lon: number }

const EARTH_M = 6_371_000;

/** Metres between two places along the ground (haversine). */
export function metresBetween(one: Place, other: Place): number {
  const [a, b] = [radians(one.lat), radians(other.lat)];
  const half = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(radians(other.lon - one.lon) / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(half)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}

/** An outlet, and how far it is, in metres; undefined where that is unknown. */
export interface Near { readonly outlet: Outlet; readonly metres: number | undefined }

/** Nearest first; those whose place is unknown come last, as all do while it is unknown where the person is. */
export function nearest(outlets: readonly Outlet[], here: Place | undefined): Near[] {
  const found = outlets.map((outlet) => ({ outlet, metres: here && distance(outlet, here) }));
  return found.sort((one, other) => (one.metres ?? Infinity) - (other.metres ?? Infinity) || 0);
}

function distance({ lat, lon }: Outlet, here: Place): number | undefined {
  return lat == null || lon == null ? undefined : metresBetween({ lat, lon }, here);
}

const PATIENCE_MS = 10_000;
const OLD_ENOUGH_MS = 300_000;

/** Whether Karman may know where the person is; unknown in browsers that do not tell. */
export async function mayKnowPlace(): Promise<PermissionState | undefined> {
  return (await navigator.permissions?.query({ name: 'geolocation' }).catch(() => undefined))?.state;
}

/** Where the person is; it stays on the device. The browser asks them, where they have not allowed it before. */
export function placeHere(): Promise<Place | undefined> {
  return new Promise((resolve) => {
    const found = ({ coords }: GeolocationPosition): void => resolve({ lat: coords.latitude, lon: coords.longitude });
    const options = { timeout: PATIENCE_MS, maximumAge: OLD_ENOUGH_MS };
    navigator.geolocation.getCurrentPosition(found, () => resolve(undefined), options);
  });
}
