/** What the person has done with offers: kept on the device, and told to the server when it can be. */
import { ApiProblem } from './api';
import { tab } from './here';
import type { Offer } from './model';
import { markPlace, places, waitingIn } from './offers';
import { meta, read, setMeta, write, type MarkKind, type Marks } from './store/database';

/** How long a mark waits for others to go with it, or to be taken back. */
const TOGETHER_MS = 2_000;
const AT_MOST = 100;

let timer: ReturnType<typeof setTimeout> | undefined;
let sending = Promise.resolve();

export function marks(): Promise<Marks> {
  return read(tab.shelf.db, ['meta'], async (tx) => (await meta(tx, 'marks')) ?? {});
}

/** Notes that the person has seen, opened or used an offer; the server hears of it when it can. */
export async function mark(slug: string, offer: Offer, kind: MarkKind): Promise<void> {
  const place = markPlace(slug, offer);
  await change((all) => (all[place]?.[kind] ? all : { ...all, [place]: { ...all[place], [kind]: 'waiting' } }));
  sendSoon();
}

/** Takes back that an offer was used. Where the server has been told, only this device forgets it. */
export function unmarkUsed(slug: string, offer: Offer): Promise<void> {
  const place = markPlace(slug, offer);
  return change((all) => {
    const { used: _used, ...others } = all[place] ?? {};
    return { ...all, [place]: others };
  });
}

/** Sends what waits a little later; to be called where offers are shown. */
export function sendSoon(): void {
  timer ??= setTimeout(() => {
    timer = undefined;
    sending = sending.then(send).catch(() => undefined);
  }, TOGETHER_MS);
}

/** Best effort: what could not be sent waits for the next time offers are looked at. */
export async function send(): Promise<void> {
  const account = tab.account.peek()?.id;
  const waiting = account ? waitingIn(await marks(), tab.shelf.cards.peek()).slice(0, AT_MOST) : [];
  if (!waiting.length) return;
  const json = { marks: waiting.map(({ place: _place, ...mark }) => mark) };
  try {
    await tab.api.tell('/api/offers/marks', { method: 'POST', query: { account }, json });
  } catch (error) {
    // Marks that the server will never take must not hold up those after them.
    if (!(error instanceof ApiProblem) || ![404, 422].includes(error.status)) throw error;
  }
  // One that was taken back meanwhile stays so here.
  await change((all) => waiting.reduce((told, { place, kind }) => (
    told[place]?.[kind] ? { ...told, [place]: { ...told[place], [kind]: 'told' } } : told
  ), all));
}

/** Changes the kept marks; those of offers that are gone go with it. */
async function change(by: (all: Marks) => Marks): Promise<void> {
  const known = new Set(places(tab.shelf.cards.peek()).map(([place]) => place));
  await write(tab.shelf.db, ['meta'], async (tx) => {
    const next = Object.entries(by((await meta(tx, 'marks')) ?? {})).filter(([place]) => known.has(place));
    await setMeta(tx, 'marks', next.length ? Object.fromEntries(next) : undefined);
  });
}
