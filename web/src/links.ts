/** Connecting cards to their shops. Every verb rejects with `ApiProblem` or `Offline`; balances come by sync. */
import { Offline, type Call } from './api';
import { tab } from './here';
import type { Card, Policy } from './model';

/** A connection that this person has made. */
export interface OwnLink {
  readonly id: string;
  readonly space: string;
  readonly card: string;
  readonly slug: string;
  readonly policy: Policy;
  readonly since: string;
}

/** An attempt that waits for the code which the shop sends; `asked` by this device's clock, in milliseconds. */
export interface Attempt { readonly attempt: string; readonly expires_at: string; readonly asked: number }

/** Asks the shop to send a code. What it answers is the same whatever the number. */
export async function askForCode(card: Card): Promise<Attempt> {
  const attempt = { ...(await begin<Omit<Attempt, 'asked'>>(card, 'challenge')), asked: Date.now() };
  remember(card.id, attempt);
  return attempt;
}

/** The attempt that waits for its code: one may look into another app for it, and the browser forget the page. */
export function waitingAttempt({ id }: Card): Attempt | undefined {
  const attempt = remembered(id);
  return attempt && Date.parse(attempt.expires_at) > Date.now() ? attempt : undefined;
}

export async function enterCode(card: Card, { attempt }: Attempt, code: string): Promise<void> {
  await tab.api.tell(`/api/links/attempts/${attempt}`, asMe({ method: 'PUT', json: { code } }));
  forgetAttempt(card);
  await arrived();
}

/** Connects by a code from the till, or without any. */
export async function connect(card: Card, policy: 'code' | 'open', code?: string): Promise<void> {
  await begin(card, policy, code);
  await arrived();
}

/** The balance, its history and the offers go from all devices. */
export async function disconnect(link: string): Promise<void> {
  await tab.api.tell(`/api/links/${link}`, asMe({ method: 'DELETE' }));
  await arrived();
}

export async function ownLinks(): Promise<readonly OwnLink[]> {
  return (await tab.api.json<{ links: OwnLink[] }>('/api/links', asMe({}))).links;
}

export function forgetAttempt({ id }: Card): void {
  remember(id, undefined);
}

/** A code as it is compared: people write it in groups, and letters of Crockford's base 32 in any case. */
export function plainCode(text: string): string {
  return text.replace(/[\s–—-]/g, '').toUpperCase();
}

async function begin<T>({ space, id }: Card, policy: Policy, code?: string): Promise<T> {
  // A card kept a moment ago has to be in the account first.
  const report = await tab.engine?.exchange();
  if (report?.offline) throw new Offline('no answer');
  const json = { space, card: id, policy, ...(code && { code }) };
  return tab.api.json<T>('/api/links', asMe({ method: 'POST', json }));
}

async function arrived(): Promise<void> {
  await tab.engine?.exchange();
}

function asMe(call: Call): Call {
  return { ...call, query: { account: tab.account.peek()?.id } };
}

/** Of whoever is signed in: another member's attempt for a shared card is none of theirs. */
function place(card: string): string {
  return `karman.attempt.${tab.account.peek()?.id}.${card}`;
}

// A browser told to keep nothing throws on any access.
function remembered(card: string): Attempt | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(place(card)) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(card: string, attempt: Attempt | undefined): void {
  try {
    if (attempt) sessionStorage.setItem(place(card), JSON.stringify(attempt));
    else sessionStorage.removeItem(place(card));
  } catch {
    return;
  }
}
