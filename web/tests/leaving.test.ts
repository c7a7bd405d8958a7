/** Deleting the account: nothing of it stays anywhere but what the person chose to keep on this device. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiProblem, Offline } from '../src/api';
import { Browser, type OpenTab } from './browser';
import { EAN, keepAll, names, PASSWORD, quiet, signedIn, signedUp, until } from './help';
import { Server } from './server';

const EMAIL = 'anna@example.org';
const PHOTO = new Blob(['a photo of the card'], { type: 'image/webp' });
let server: Server;

beforeEach(() => {
  server = new Server();
});

afterEach(() => void vi.restoreAllMocks());

test('a deleted account leaves nothing on this device, and its other devices wipe when they next ask', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит', 'Ашан');
  await quiet(tab);
  const other = await signedIn(server, EMAIL);
  await tab.session.deleteAccount(PASSWORD, { keep: false });
  expect([names(tab), tab.wallet.account.value, tab.wallet.notice.value]).toEqual([[], null, null]);
  expect(await browser.stored()).toEqual([`${browser.databases}-guest`]);
  other.browser.wake();
  await until(() => expect(other.tab.wallet.notice.value).toBe('device-revoked'));
  expect(names(other.tab)).toEqual([]);
});

test('cards kept without an account have their codes, uses and photos, and may go into a next one', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const id = await tab.wallet.keep({ name: 'Пятёрочка', codes: [EAN], note: 'моя' }, { front: PHOTO });
  await tab.wallet.use(id);
  const [binned] = await keepAll(tab, 'Старая');
  await tab.wallet.bin(binned!);
  await quiet(tab);
  await tab.session.deleteAccount(PASSWORD, { keep: true });
  const [card] = tab.wallet.shelf.cards.value;
  expect(names(tab)).toEqual(['Пятёрочка']);
  expect(card).toMatchObject({ id, codes: [EAN], note: 'моя', uses: 1 });
  expect(await (await tab.wallet.picture(card!.front!))!.text()).toBe('a photo of the card');
  await tab.session.signUp('next@example.org', PASSWORD);
  await tab.session.adopt([id]);
  await quiet(tab);
  expect([...server.cards('next@example.org').keys()]).toEqual([id]);
});

test('a photo that is only on the server is fetched before it goes', async () => {
  const { tab } = await signedUp(server, EMAIL);
  await tab.wallet.keep({ name: 'Пятёрочка' }, { front: PHOTO });
  await quiet(tab);
  const { tab: fresh } = await signedIn(server, EMAIL);
  await fresh.session.deleteAccount(PASSWORD, { keep: true });
  const [card] = fresh.wallet.shelf.cards.value;
  expect(await (await fresh.wallet.picture(card!.front!))!.text()).toBe('a photo of the card');
});

test('a wrong password changes nothing, here or there', async () => {
  const { tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  const refused = tab.session.deleteAccount('wrong password', { keep: true });
  await expect(refused).rejects.toMatchObject({ code: 'wrong-password' } satisfies Partial<ApiProblem>);
  expect([names(tab), tab.wallet.account.value?.email]).toEqual([['Магнит'], EMAIL]);
  expect(await tab.session.guestCards()).toEqual([]);
  expect(server.cards(EMAIL).size).toBe(1);
});

test('a lost answer is asked after: what is gone there goes here, and the kept cards stay', async () => {
  const { tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  server.loseAnswerOf = '/api/account';
  await tab.session.deleteAccount(PASSWORD, { keep: true });
  expect([names(tab), tab.wallet.account.value]).toEqual([['Магнит'], null]);
});

test('without a network nothing is deleted, and the cards are kept whatever the server did', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  server.down = true;
  await expect(tab.session.deleteAccount(PASSWORD, { keep: true })).rejects.toBeInstanceOf(Offline);
  expect(names(tab)).toEqual(['Магнит']);
  server.down = false;
  await tab.session.deleteAccount(PASSWORD, { keep: true });
  expect([names(tab), await browser.stored()]).toEqual([['Магнит'], [`${browser.databases}-guest`]]);
});

/** Long enough for a deletion under way to be done. */
function later(): void {
  const { now } = Date;
  vi.spyOn(Date, 'now').mockImplementation(() => now() + 120_000);
}

/** A deletion that never reached the server, its cards kept here; the network is back, but nothing has asked yet. */
async function unanswered(tab: OpenTab): Promise<void> {
  server.down = true;
  await expect(tab.session.deleteAccount(PASSWORD, { keep: true })).rejects.toBeInstanceOf(Offline);
  expect(await tab.session.guestCards()).toHaveLength(1);
  server.down = false;
}

test('cards kept for a deletion that nobody answered leave the guest when the account turns out to live', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  await unanswered(tab);
  later();
  browser.wake();
  await until(async () => expect(await tab.session.guestCards()).toEqual([]));
  expect(names(tab)).toEqual(['Магнит']);
  await tab.session.signOut();
  expect(names(tab)).toEqual([]);
});

test('signing out after such a deletion leaves no copies, and a card added before signing in stays', async () => {
  const browser = new Browser(server);
  const tab = await browser.open();
  await keepAll(tab, 'Личная');
  await tab.session.signUp(EMAIL, PASSWORD);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  server.down = true;
  await expect(tab.session.deleteAccount(PASSWORD, { keep: true })).rejects.toBeInstanceOf(Offline);
  server.down = false;
  later();
  await tab.session.signOut();
  expect(names(tab)).toEqual(['Личная']);
});

/** The account is deleted, its cards kept, and the network goes before the answer comes. */
async function deleteUnheard(tab: OpenTab): Promise<void> {
  server.onRequest = ({ path }) => {
    if (path === '/api/account') server.down = true;
  };
  server.loseAnswerOf = '/api/account';
  await expect(tab.session.deleteAccount(PASSWORD, { keep: true })).rejects.toBeInstanceOf(Offline);
}

test('cards kept for a deletion whose answer was lost stay when the account turns out to be gone', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  await deleteUnheard(tab);
  server.down = false;
  browser.wake();
  await until(() => expect(tab.wallet.account.value).toBeNull());
  expect(names(tab)).toEqual(['Магнит']);
});

test('a second try after a deletion that was done all the same loses no card', async () => {
  const { tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  await deleteUnheard(tab);
  server.onRequest = () => undefined;
  server.down = false;
  await expect(tab.session.deleteAccount(PASSWORD, { keep: true })).rejects.toMatchObject({ code: 'device-revoked' });
  tab.wallet.engine?.soon();
  await until(() => expect(tab.wallet.account.value).toBeNull());
  expect(names(tab)).toEqual(['Магнит']);
});

test('the copies outlast an exchange that may have met a deletion still under way', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Магнит');
  await quiet(tab);
  await unanswered(tab);
  await tab.wallet.set(id!, { note: 'новая' });
  await quiet(tab);
  expect(await tab.session.guestCards()).toHaveLength(1);
});

test('a second try keeps the cards as they are by then, or none where the person says so', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Магнит');
  await quiet(tab);
  await unanswered(tab);
  await tab.wallet.set(id!, { note: 'новая' });
  await quiet(tab);
  await expect(tab.session.deleteAccount('wrong password', { keep: true })).rejects.toMatchObject({ status: 403 });
  expect(await tab.session.guestCards()).toEqual([]);
  await unanswered(tab);
  await tab.wallet.set(id!, { note: 'ещё новее' });
  await quiet(tab);
  await tab.session.deleteAccount(PASSWORD, { keep: true });
  expect(tab.wallet.shelf.find(id!)?.note).toBe('ещё новее');
});
