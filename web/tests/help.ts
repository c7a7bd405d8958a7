/** Short ways to say what most tests begin with. */
import { expect, vi } from 'vitest';
import type { Card, CardFields, Code } from '../src/model';
import { Browser, type OpenTab } from './browser';
import type { Server } from './server';

export const PASSWORD = 'pocket-full-of-cards';
export const EAN: Code = { format: 'ean_13', text: '4607001234562', raw: 'NDYwNzAwMTIzNDU2Mg==' };

/** Waits until the expectation holds. */
export function until(holds: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(holds, { timeout: 15_000, interval: 5 });
}

/** Waits until nothing waits to be sent. */
export function quiet({ wallet }: OpenTab): Promise<void> {
  return until(() => expect(wallet.sync.value).toMatchObject({ state: 'idle', waiting: 0 }));
}

export function names({ wallet }: OpenTab): string[] {
  return wallet.shelf.cards.value.map(({ name }) => name).sort();
}

/** A tab of a new browser, signed up as this person. */
export async function signedUp(server: Server, email: string): Promise<{ browser: Browser; tab: OpenTab }> {
  const browser = new Browser(server);
  const tab = await browser.open();
  await tab.session.signUp(email, PASSWORD);
  await quiet(tab);
  return { browser, tab };
}

/** A tab of another new browser, signed in as this person. */
export async function signedIn(server: Server, email: string): Promise<{ browser: Browser; tab: OpenTab }> {
  const browser = new Browser(server);
  const tab = await browser.open();
  await tab.session.signIn(email, PASSWORD);
  await quiet(tab);
  return { browser, tab };
}

/** Keeps cards of these names; answers their ids. */
export async function keepAll({ wallet }: OpenTab, ...all: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const name of all) ids.push(await wallet.keep({ name }));
  return ids;
}

export function card(name: string, fields: Partial<CardFields & Pick<Card, 'id' | 'last_used_at'>> = {}): Card {
  const defaults = { space: 'guest', codes: [], favourite: false, archived: false, uses: 0 };
  return { ...defaults, id: name, name, ...fields } as Card;
}
