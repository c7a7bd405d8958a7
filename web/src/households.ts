/** What people do with households. Every verb rejects with `ApiProblem` or `Offline`; who is in one comes by sync. */
import type { Call } from './api';
import { tab } from './here';
import type { Inhabitant } from './model';

/** What an invitation tells whoever holds it. */
export interface Invited {
  readonly household: string;
  readonly by: string;
  readonly role: Guest;
  readonly members: number;
  readonly cards: number;
  readonly expires_at: string;
}

export interface Invitation {
  readonly id: string;
  readonly role: Guest;
  readonly expires_at: string;
}

export type Guest = Exclude<Inhabitant['role'], 'owner'>;

/** Makes a household and answers its space. */
export async function make(name: string, own_name: string): Promise<string> {
  const { space } = await ask<{ space: string }>('/api/households', { method: 'POST', json: { name, own_name } });
  return arrived(space);
}

export async function rename(space: string, name: string): Promise<void> {
  await tell(`/api/households/${space}`, { method: 'PATCH', json: { name } });
}

/** A link that lets one person in. Whoever has it gets in, so it is told only this once. */
export async function invite(space: string, role: Guest): Promise<Invitation & { readonly link: string }> {
  const call = { method: 'POST', json: { role } } as const;
  const made = await ask<{ id: string; token: string; expires_at: string }>(invitationsOf(space), call);
  return { id: made.id, role, expires_at: made.expires_at, link: `${location.origin}/join#${made.token}` };
}

export async function invitations(space: string): Promise<readonly Invitation[]> {
  return (await ask<{ invitations: Invitation[] }>(invitationsOf(space), {})).invitations;
}

export function withdraw(space: string, id: string): Promise<void> {
  return tell(`${invitationsOf(space)}/${id}`, { method: 'DELETE' });
}

export function setRole(space: string, who: string, role: Inhabitant['role']): Promise<void> {
  return tell(`/api/households/${space}/members/${who}`, { method: 'PATCH', json: { role } });
}

/** Removes somebody, or leaves. Edits made here go first, or they would be refused. */
export async function remove(space: string, who: string): Promise<void> {
  await tab.engine?.exchange();
  await tell(`/api/households/${space}/members/${who}`, { method: 'DELETE' });
  await tab.engine?.exchange();
}

/** What an invitation is to. Nobody need be signed in. */
export function look(token: string): Promise<Invited> {
  return tab.api.json('/api/invitations/look', { method: 'POST', json: { token } });
}

/** Enters the household of an invitation and answers its space. */
export async function join(token: string, own_name: string): Promise<string> {
  const call = { method: 'POST', json: { token, own_name } } as const;
  return arrived((await ask<{ space: string }>('/api/invitations/join', call)).space);
}

function invitationsOf(space: string): string {
  return `/api/households/${space}/invitations`;
}

/** The household is on the device before its screen is shown, unless the network goes just now. */
async function arrived(space: string): Promise<string> {
  await tab.engine?.exchange();
  return space;
}

function asMe(call: Call): Call {
  return { ...call, query: { account: tab.account.peek()?.id } };
}

function ask<T>(path: string, call: Call): Promise<T> {
  return tab.api.json<T>(path, asMe(call));
}

async function tell(path: string, call: Call): Promise<void> {
  await tab.api.tell(path, asMe(call));
  tab.engine?.soon();
}
