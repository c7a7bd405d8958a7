/** Ways into an account: coming in by each, and adding and removing them. All reject with `ApiProblem` or `Offline`. */
import type { Api } from './api';
import { session, tab } from './here';
import type { Account } from './model';
import { create, get, type Options } from './passkeys';
import type { SignedIn } from './session';
import { language } from './wallet';
import { rememberWayBack } from './way-back';

export interface PasskeyShown {
  readonly id: string; readonly name: string; readonly created_at: string; readonly used_at: string | null;
}
export interface IdentityShown { readonly id: string; readonly provider: string; readonly label: string; readonly created_at: string }
export interface ProviderShown { readonly id: string; readonly name: string }

/** What leads into this account; `codes` are the recovery codes left. */
export interface WaysIn {
  readonly email: string | null;
  readonly verified: boolean;
  readonly password: boolean;
  readonly passkeys: readonly PasskeyShown[];
  readonly identities: readonly IdentityShown[];
  readonly codes: number;
}

/** Who else signs people in here, and whether mails reach them. */
export interface Offered { readonly providers: readonly ProviderShown[]; readonly mail: boolean }

export type Purpose = 'sign-in' | 'link' | 'prove';

interface Question { readonly challenge: string; readonly options: Options }

const PURPOSE_KEY = 'karman.provider';

export const offered = (): Promise<Offered> => tab.api.json('/api/ways-in');
export const waysIn = (): Promise<WaysIn> => tab.api.json('/api/account/ways');

// Coming in

/**
 * With `quietly` the browser offers passkeys in the field for the address until the signal ends that; `onChosen` tells
 * that the person took one.
 */
export function signInByPasskey(quietly?: AbortSignal, onChosen?: () => void): Promise<Account> {
  const ask = async (): Promise<Answer> => {
    const { challenge, options } = await tab.api.json<Question>('/api/session/passkey/options', { method: 'POST' });
    return { challenge, credential: await get(options, quietly) };
  };
  return ask().then((answer) => {
    onChosen?.();
    return arriveBy('/api/session/passkey', answer);
  });
}

export function signInByCode(code: string): Promise<Account> {
  return arriveBy('/api/session/code', { code });
}

/** Finishes a sign-up whose mail was opened; `password` where another browser began it. */
export function confirmSignUp(token: string, password?: string): Promise<Account> {
  return arriveBy('/api/accounts/confirm', { token, ...(password !== undefined && { password }) });
}

export function resetPassword(token: string, password: string, endOthers: boolean): Promise<Account> {
  return arriveBy('/api/password-reset', { token, password, end_others: endOthers }, 'PUT');
}

/** Leaves for the provider's page. */
export async function goToProvider(id: string, purpose: Purpose): Promise<void> {
  const json = { purpose, device: tab.platform.deviceName() };
  const { url } = await tab.api.json<{ url: string }>(`/api/providers/${id}/start`, { method: 'POST', json });
  sessionStorage.setItem(PURPOSE_KEY, purpose);
  if (purpose === 'sign-in') rememberWayBack(location);
  location.assign(url);
}

/** What for this tab went to the provider. */
export function purposeOfReturn(): Purpose {
  return (sessionStorage.getItem(PURPOSE_KEY) as Purpose | null) ?? 'sign-in';
}

/** Comes in with what the provider sent the browser back with, or links or proves by it. */
export async function comeBack(purpose: Purpose, query: URLSearchParams): Promise<void> {
  const [state, code, iss] = [query.get('state') ?? '', query.get('code') ?? '', query.get('iss')];
  const json = { purpose, state, code, ...(iss !== null && { iss }) };
  if (purpose !== 'sign-in') return tab.api.tell('/api/providers/back', { method: 'POST', json });
  await session.arrive((api) => api.json('/api/providers/back', { method: 'POST', json }));
}

interface Answer { readonly [name: string]: unknown }

function arriveBy(path: string, body: Answer, method: 'POST' | 'PUT' = 'POST'): Promise<Account> {
  const ask = (api: Api, device: string): Promise<SignedIn> => api.json(path, { method, json: { ...body, device } });
  return session.arrive(ask);
}

// Mails

export function askForReset(email: string): Promise<void> {
  return tab.api.tell('/api/password-reset', { method: 'POST', json: { email }, language: language.peek() });
}

export function askToVerify(): Promise<void> {
  return tab.api.tell('/api/account/verification', { method: 'POST', language: language.peek() });
}

export function verifyAddress(token: string): Promise<void> {
  return tab.api.tell('/api/account/verification', { method: 'PUT', json: { token } });
}

// Adding and removing; what may change how one gets in needs a proof of a moment ago (`proof-needed`)

export function proveByPassword(password: string): Promise<void> {
  return tab.api.tell('/api/session/proof', { method: 'POST', json: { password } });
}

export async function proveByPasskey(): Promise<void> {
  const { challenge, options } = await tab.api.json<Question>('/api/session/passkey/options', { method: 'POST' });
  const json = { challenge, credential: await get(options) };
  await tab.api.tell('/api/session/proof/passkey', { method: 'POST', json });
}

export async function makePasskey(): Promise<void> {
  const { challenge, options } = await tab.api.json<Question>('/api/passkeys/options', { method: 'POST' });
  const json = { challenge, credential: await create(options), name: tab.platform.deviceName() };
  await tab.api.tell('/api/passkeys', { method: 'POST', json });
}

export function renamePasskey(id: string, name: string): Promise<void> {
  return tab.api.tell(`/api/passkeys/${id}`, { method: 'PUT', json: { name } });
}

export function removePasskey(id: string): Promise<void> {
  return tab.api.tell(`/api/passkeys/${id}`, { method: 'DELETE' });
}

export function removeIdentity(id: string): Promise<void> {
  return tab.api.tell(`/api/account/identities/${id}`, { method: 'DELETE' });
}

/** With `old` for who has one; without it a proof is needed. */
export function setPassword(password: string, endOthers: boolean, old?: string): Promise<void> {
  const json = { password, end_others: endOthers, ...(old !== undefined && { old }) };
  return tab.api.tell('/api/account/password', { method: 'PUT', json });
}

export function removePassword(): Promise<void> {
  return tab.api.tell('/api/account/password', { method: 'DELETE' });
}

export async function newCodes(): Promise<readonly string[]> {
  return (await tab.api.json<{ codes: string[] }>('/api/account/codes', { method: 'POST' })).codes;
}
