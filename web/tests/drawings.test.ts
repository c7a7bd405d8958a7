/** Codes are drawn when a card is kept or pulled, once, and the till takes them from the device. */
import { beforeEach, expect, test } from 'vitest';
import type { Code } from '../src/model';
import { Browser } from './browser';
import { EAN, quiet, signedIn, signedUp, until } from './help';
import { Server } from './server';

const EMAIL = 'anna@example.org';
const OTHER: Code = { format: 'code_128', text: 'KARMAN-7', raw: btoa('KARMAN-7') };
const UNDRAWABLE: Code = { format: 'ean_13', text: 'не цифры', raw: btoa('not digits') };
let server: Server;

beforeEach(() => {
  server = new Server();
});

test('a kept card is drawn once, also for the next start', async () => {
  const browser = new Browser(server);
  const tab = await browser.open();
  const id = await tab.wallet.keep({ name: 'Пятёрочка', codes: [EAN, OTHER] });
  const [ean, other] = await tab.wallet.drawnCodes(id);
  expect(ean).toMatchObject({ kind: 'linear', width: 95, height: 1 });
  expect(ean!.rows[0]).toMatch(/^101[01]{89}101$/);
  expect(other!.kind).toBe('linear');
  await until(() => expect(tab.wallet.drawings.value).toBe(1));
  const { draws } = browser;
  tab.kill();
  const again = await browser.open();
  expect(await again.wallet.drawnCodes(id)).toEqual([ean, other]);
  expect(browser.draws).toBe(draws);
});

test('a changed code is drawn anew, a changed name draws nothing', async () => {
  const browser = new Browser(server);
  const tab = await browser.open();
  const id = await tab.wallet.keep({ name: 'Пятёрочка', codes: [EAN] });
  const before = await tab.wallet.drawnCodes(id);
  await until(() => expect(tab.wallet.drawings.value).toBe(1));
  const { draws } = browser;
  await tab.wallet.set(id, { name: 'Пятёрочка у дома' });
  expect(await tab.wallet.drawnCodes(id)).toEqual(before);
  expect(browser.draws).toBe(draws);
  await tab.wallet.set(id, { codes: [OTHER] });
  const after = await tab.wallet.drawnCodes(id);
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
});

test('a pulled card is drawn without anybody opening it', async () => {
  const one = await signedUp(server, EMAIL);
  await one.tab.wallet.keep({ name: 'Пятёрочка', codes: [EAN] });
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  await until(async () => expect(await other.tab.wallet.shelf.db.count('drawn')).toBe(1));
});

test('a code that cannot be drawn is null in its place and tried again by a newer release only', async () => {
  const browser = new Browser(server);
  const tab = await browser.open();
  const id = await tab.wallet.keep({ name: 'Странная', codes: [UNDRAWABLE, EAN] });
  expect(await tab.wallet.drawnCodes(id)).toMatchObject([null, { kind: 'linear' }]);
  await until(() => expect(tab.wallet.drawings.value).toBe(1));
  const { draws } = browser;
  tab.kill();
  const same = await browser.open();
  await same.wallet.drawnCodes(id);
  expect(browser.draws).toBe(draws);
  same.kill();
  browser.upgrade('2');
  const newer = await browser.open();
  await newer.wallet.drawnCodes(id);
  expect(browser.draws).toBeGreaterThan(draws);
});

test('the drawings of a card that is gone go too', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const id = await tab.wallet.keep({ name: 'Пятёрочка', codes: [EAN] });
  await quiet(tab);
  await until(async () => expect(await tab.wallet.shelf.db.count('drawn')).toBe(1));
  server.purge(EMAIL, id);
  browser.wake();
  await until(async () => expect(await tab.wallet.shelf.db.count('drawn')).toBe(0));
});
