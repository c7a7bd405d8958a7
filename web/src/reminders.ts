/** Reminders that cards end: what the person wishes, kept in the account, and whether this device is told. */
import { tab } from './here';
import { language } from './wallet';

/** Hours without a notice, `HH:MM`; over midnight where `from` is the later. */
export interface Quiet { readonly from: string; readonly to: string }

export interface Wish {
  readonly on: boolean;
  /** Days before a card's last one. */
  readonly days: readonly number[];
  readonly quiet: Quiet | null;
  /** IANA name. */
  readonly zone: string;
  /** Whether a notice names the card. */
  readonly details: boolean;
}

/** `device`: whether this one is told. `key`: what it subscribes with. */
export interface Reminders extends Wish { readonly device: boolean; readonly key: string }

/** What the browser makes of notices here. */
export type Permission = 'unsupported' | 'default' | 'granted' | 'denied';

/** The browser could not subscribe: its push service does not answer, say. */
export class CannotSubscribe extends Error {
  override readonly name = 'CannotSubscribe';
}

const PATIENCE_MS = 20_000;
const SENT = 'karman-told';

/** Rejects with `ApiProblem` or `Offline`, as everything here does. */
export function reminders(): Promise<Reminders> {
  return tab.api.json('/api/reminders', { query: query() });
}

export function wish({ on, days, quiet, zone, details }: Wish): Promise<Reminders> {
  return tab.api.json('/api/reminders', { method: 'PUT', query: query(), json: { on, days, quiet, zone, details } });
}

export function permission(): Permission {
  const able = 'Notification' in window && 'PushManager' in window && 'serviceWorker' in navigator;
  return able ? Notification.permission : 'unsupported';
}

/** Asks the person; to be called while they press something, before anything is waited for. */
export async function askPermission(): Promise<Permission> {
  return permission() === 'default' ? Notification.requestPermission() : permission();
}

/** Subscribes this browser and tells the server. Rejects with `CannotSubscribe`, too. */
export async function tellHere(key: string): Promise<void> {
  const worker = await navigator.serviceWorker.getRegistration();
  if (!worker) throw new CannotSubscribe('there is no service worker');
  await send(await subscribed(worker.pushManager, key));
}

export async function tellNoMore(): Promise<void> {
  await tab.api.tell('/api/reminders/device', { method: 'DELETE', query: query() });
  await forgetHere();
}

/** This browser no longer listens, whoever it did so for. */
export async function forgetHere(): Promise<void> {
  remember(null);
  const worker = await navigator.serviceWorker?.getRegistration();
  await (await worker?.pushManager?.getSubscription())?.unsubscribe();
  // What was shown already was for them, too.
  for (const shown of (await worker?.getNotifications?.()) ?? []) shown.close();
}

/** Browsers change subscriptions, and people their language: the server learns of it when the app is opened. */
export async function keepTold(): Promise<void> {
  if (remembered() === null || permission() !== 'granted') return;
  const worker = await navigator.serviceWorker.getRegistration();
  const known = await worker?.pushManager.getSubscription();
  if (known && remembered() === mark(known)) return;
  const { key, device } = await reminders();
  if (device) await tellHere(key);
  else await forgetHere();
}

async function subscribed(manager: PushManager, key: string): Promise<PushSubscription> {
  const known = await manager.getSubscription();
  if (known && sameKey(known.options.applicationServerKey, key)) return known;
  await known?.unsubscribe();
  // A browser whose push service is out of reach may wait for ever.
  const patience = new Promise<never>((_, give) => setTimeout(() => give(new CannotSubscribe('no answer')), PATIENCE_MS));
  const asked = manager.subscribe({ userVisibleOnly: true, applicationServerKey: key }).catch((error: unknown) => {
    throw new CannotSubscribe('refused', { cause: error });
  });
  return Promise.race([asked, patience]);
}

async function send(subscription: PushSubscription): Promise<void> {
  const json = { subscription: subscription.toJSON(), language: language.peek() };
  await tab.api.tell('/api/reminders/device', { method: 'PUT', query: query(), json });
  remember(mark(subscription));
}

function mark({ endpoint }: PushSubscription): string {
  return [tab.account.peek()?.id, language.peek(), endpoint].join(' ');
}

// A browser told to keep nothing throws on any access: it then tells the server each time it is asked to.
function remembered(): string | null {
  try {
    return localStorage.getItem(SENT);
  } catch {
    return null;
  }
}

function remember(sent: string | null): void {
  try {
    if (sent === null) localStorage.removeItem(SENT);
    else localStorage.setItem(SENT, sent);
  } catch {
    return;
  }
}

function sameKey(known: ArrayBuffer | null, key: string): boolean {
  const text = btoa(String.fromCharCode(...new Uint8Array(known ?? new ArrayBuffer(0))));
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === key;
}

function query(): { readonly account: string | undefined } {
  return { account: tab.account.peek()?.id };
}
