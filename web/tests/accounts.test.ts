/** Signing in, taking over the guest's cards, signing out: what moves, what stays, what is wiped. */
import { beforeEach, expect, test } from 'vitest';
import { ApiProblem, Offline } from '../src/api';
import { UnsentChanges } from '../src/model';
import { Browser, type OpenTab } from './browser';
import { EAN, keepAll, names, PASSWORD, quiet, signedIn, signedUp, until } from './help';
import { Problem, Server } from './server';

const EMAIL = 'anna@example.org';
const PHOTO = new Blob(['a photo of the card'], { type: 'image/webp' });
let server: Server;

beforeEach(() => {
  server = new Server();
});

async function guestWith(...all: string[]): Promise<{ browser: Browser; tab: OpenTab; ids: string[] }> {
  const browser = new Browser(server);
  const tab = await browser.open();
  return { browser, tab, ids: await keepAll(tab, ...all) };
}

test('a guest’s bin keeps a card for 30 days, with its photo, and no longer', async () => {
  const { browser, tab, ids } = await guestWith('Магнит', 'Ашан');
  const old = await tab.wallet.keep({ name: 'Старая' }, { front: PHOTO });
  for (const id of [...ids.slice(1), old]) await tab.wallet.bin(id);
  await binnedDaysAgo(tab, ids[1]!, 29);
  await binnedDaysAgo(tab, old, 31);
  tab.kill();
  const again = await browser.open();
  expect(again.wallet.shelf.all.value.map(({ name }) => name).sort()).toEqual(['Ашан', 'Магнит']);
  await until(async () => expect(await again.wallet.shelf.db.count('pictures')).toBe(0));
});

async function binnedDaysAgo({ wallet: { shelf } }: OpenTab, id: string, days: number): Promise<void> {
  const row = (await shelf.db.get('cards', ['guest', `card/${id}`]))!;
  const binned_at = new Date(Date.now() - days * 86_400_000).toISOString();
  await shelf.db.put('cards', { ...row, value: { ...row.value, binned_at } });
}

test('the chosen guest cards go into the account under their own ids, the rest stay with the guest', async () => {
  const { tab, ids } = await guestWith('Магнит', 'Ашан', 'Личная');
  await tab.session.signUp(EMAIL, PASSWORD);
  expect((await tab.session.guestCards()).map(({ name }) => name).sort()).toEqual(['Ашан', 'Личная', 'Магнит']);
  await tab.session.adopt(ids.slice(0, 2));
  expect(names(tab)).toEqual(['Ашан', 'Магнит']);
  await quiet(tab);
  expect([...server.cards(EMAIL).keys()].sort()).toEqual(ids.slice(0, 2).sort());
  expect((await tab.session.guestCards()).map(({ name }) => name)).toEqual(['Личная']);
  await tab.session.signOut();
  expect(names(tab)).toEqual(['Личная']);
});

test('a guest card keeps its codes, its photo and its place among the recent ones', async () => {
  const { tab } = await guestWith();
  const id = await tab.wallet.keep({ name: 'Пятёрочка', codes: [EAN], favourite: true }, { front: PHOTO });
  await tab.wallet.use(id);
  const { last_used_at } = tab.wallet.shelf.find(id)!;
  await tab.session.signUp(EMAIL, PASSWORD);
  await tab.session.adopt([id]);
  await quiet(tab);
  const body = server.cards(EMAIL).get(id)!;
  expect(body).toMatchObject({ name: 'Пятёрочка', codes: [EAN], favourite: true, last_used_at });
  const space = server.spaceOf(EMAIL);
  expect(Buffer.from(server.pictures.get(`${space}/${body.front}`)!).toString()).toBe('a photo of the card');
  expect(await (await tab.wallet.picture(body.front!))!.text()).toBe('a photo of the card');
});

test('a guest copy goes only when its receipt has come', async () => {
  const { browser, tab, ids } = await guestWith('Магнит', 'Ашан');
  await tab.session.signUp(EMAIL, PASSWORD);
  server.onRequest = ({ path }) => {
    if (path === '/api/sync/push') throw new Problem(503, 'busy');
  };
  await tab.session.adopt(ids);
  await until(() => expect(tab.wallet.sync.value.state).toBe('error'));
  expect(await tab.session.guestCards()).toHaveLength(2);
  server.onRequest = () => undefined;
  browser.wake();
  await quiet(tab);
  expect(await tab.session.guestCards()).toHaveLength(0);
});

test('a refused guest card stays with the guest as well as among the refusals', async () => {
  const { tab, ids } = await guestWith('x'.repeat(81));
  await tab.session.signUp(EMAIL, PASSWORD);
  await tab.session.adopt(ids);
  await quiet(tab);
  expect(tab.wallet.sync.value.refusals).toHaveLength(1);
  expect(await tab.session.guestCards()).toHaveLength(1);
});

test('taking over breaks at no point: after a crash before the push it goes on by itself', async () => {
  const { browser, tab } = await guestWith();
  const id = await tab.wallet.keep({ name: 'Магнит' }, { back: PHOTO });
  await tab.session.signUp(EMAIL, PASSWORD);
  server.down = true;
  await tab.session.adopt([id]);
  tab.kill();
  server.down = false;
  const again = await browser.open();
  await quiet(again);
  expect(server.cards(EMAIL).get(id)?.name).toBe('Магнит');
  expect(server.pictures.size).toBe(1);
  expect(await again.session.guestCards()).toEqual([]);
});

test('taking over the same cards twice makes no second copy', async () => {
  const { browser, tab, ids } = await guestWith('Магнит');
  await tab.wallet.use(ids[0]!);
  await tab.session.signUp(EMAIL, PASSWORD);
  server.loseAnswerOf = '/api/sync/push';
  await tab.session.adopt(ids);
  await until(() => expect(tab.wallet.sync.value.state).toBe('offline'));
  await tab.session.adopt(ids);
  browser.wake();
  await quiet(tab);
  expect(server.cards(EMAIL).size).toBe(1);
  expect(server.cards(EMAIL).get(ids[0]!)?.uses).toBe(1);
  expect(names(tab)).toEqual(['Магнит']);
});

test('cards and photos are taken over in one transaction: when the device is full, none is', async () => {
  const { tab, ids } = await guestWith('Магнит', 'Ашан');
  await tab.session.signUp(EMAIL, PASSWORD);
  await quiet(tab);
  const full = overflowing('queue', 2);
  await expect(tab.session.adopt(ids)).rejects.toThrow('no room');
  full.over();
  expect(tab.wallet.shelf.storage.value.full).toBe(true);
  expect(names(tab)).toEqual([]);
  expect(await tab.wallet.shelf.db.count('queue')).toBe(0);
  await tab.session.adopt(ids);
  await quiet(tab);
  expect(tab.wallet.shelf.storage.value.full).toBe(false);
  expect(server.cards(EMAIL).size).toBe(2);
});

/** From the `nth` write to this store on, the device has no room. */
function overflowing(store: string, nth: number): { over(): void } {
  const { put } = IDBObjectStore.prototype;
  let count = 0;
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args) {
    if (this.name === store && ++count >= nth) throw new DOMException('full', 'QuotaExceededError');
    return put.apply(this, args);
  };
  return { over: () => void (IDBObjectStore.prototype.put = put) };
}

test('a card that finds no room is not kept, and the wallet says why', async () => {
  const { tab } = await guestWith('Магнит');
  const full = overflowing('cards', 1);
  await expect(tab.wallet.keep({ name: 'Лишняя' })).rejects.toMatchObject({ name: 'StorageFull' });
  full.over();
  expect(names(tab)).toEqual(['Магнит']);
  expect(tab.wallet.shelf.storage.value.full).toBe(true);
});

test('signing out sends what waits, then nothing of the account is left in the browser', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const id = await tab.wallet.keep({ name: 'Секретная', codes: [EAN] }, { front: PHOTO });
  await tab.session.signOut();
  expect(server.cards(EMAIL).get(id)?.name).toBe('Секретная');
  expect(tab.wallet.account.value).toBeNull();
  expect(names(tab)).toEqual([]);
  expect(await browser.stored()).toEqual([`${browser.databases}-guest`]);
  expect(browser.jar.session).toBeUndefined();
});

test('after A signed out, B signs in on the same browser and sees only their own', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Анина');
  await tab.session.signOut();
  await tab.session.signUp('boris@example.org', PASSWORD);
  await keepAll(tab, 'Борина');
  await quiet(tab);
  expect(names(tab)).toEqual(['Борина']);
  expect(await browser.stored()).toHaveLength(2);
});

test('B who signs in over A, whose session is over, leaves nothing of A on the device', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Анина');
  await quiet(tab);
  server.expire(browser.jar);
  await signedUp(server, 'boris@example.org');
  await tab.session.signIn('boris@example.org', PASSWORD);
  const boris = tab.wallet.account.value!.id;
  expect((await browser.stored()).sort()).toEqual([`${browser.databases}-${boris}`, `${browser.databases}-guest`].sort());
  await keepAll(tab, 'Борина');
  await quiet(tab);
  expect(names(tab)).toEqual(['Борина']);
  await tab.session.signOut();
  await tab.session.signIn(EMAIL, PASSWORD);
  await until(() => expect(names(tab)).toEqual(['Анина']));
});

test('B who signs in over A leaves what A has not sent, and A finds it again', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await quiet(tab);
  server.expire(browser.jar);
  await keepAll(tab, 'Неотправленная');
  await signedUp(server, 'boris@example.org');
  await tab.session.signIn('boris@example.org', PASSWORD);
  expect(await browser.stored()).toHaveLength(3);
  expect(names(tab)).toEqual([]);
  await tab.session.signIn(EMAIL, PASSWORD);
  await quiet(tab);
  expect(names(tab)).toEqual(['Неотправленная']);
  expect(server.cards(EMAIL).size).toBe(1);
});

test('who is back before their database was removed keeps it at the next start', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const account = tab.wallet.account.value!.id;
  const { openDB } = await import('idb');
  const guest = await openDB(`${browser.databases}-guest`);
  await guest.put('meta', [`${browser.databases}-${account}`], 'leaving');
  server.expire(browser.jar);
  await tab.session.signIn(EMAIL, PASSWORD);
  server.down = true;
  await keepAll(tab, 'Неотправленная');
  guest.close();
  tab.kill();
  expect(names(await browser.open())).toEqual(['Неотправленная']);
});

test('unsent edits keep a person signed in until they say they may go', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  await keepAll(tab, 'Неотправленная');
  await expect(tab.session.signOut()).rejects.toEqual(new UnsentChanges(1, 0));
  expect(names(tab)).toEqual(['Неотправленная']);
  await tab.session.signOut({ discardUnsent: true });
  expect(names(tab)).toEqual([]);
  expect(await browser.stored()).toEqual([`${browser.databases}-guest`]);
});

test('that a card was shown offline is no unsent change, and keeps nobody from signing out', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Лента');
  await quiet(tab);
  server.down = true;
  await tab.wallet.use(id!);
  expect(tab.wallet.shelf.find(id!)?.uses).toBe(1);
  expect(tab.wallet.sync.value.waiting).toBe(0);
  await tab.session.signOut();
  expect(names(tab)).toEqual([]);
});

test('a session left offline is ended when the network is back', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  await tab.session.signOut();
  expect(browser.jar.session).toBeDefined();
  server.down = false;
  browser.wake();
  await until(() => expect(browser.jar.session).toBeUndefined());
});

test('a session left offline does not end the one that began after it', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  await tab.session.signOut();
  server.down = false;
  const signingIn = tab.session.signIn(EMAIL, PASSWORD);
  browser.wake();
  await signingIn;
  browser.wake();
  await quiet(tab);
  await keepAll(tab, 'Здесь');
  await quiet(tab);
  expect(server.cards(EMAIL).size).toBe(1);
});

test('a wipe that was interrupted is finished at the next start', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const account = tab.wallet.account.value!.id;
  await keepAll(tab, 'Секретная');
  await quiet(tab);
  const { openDB } = await import('idb');
  const guest = await openDB(`${browser.databases}-guest`);
  await guest.put('meta', [`${browser.databases}-${account}`], 'leaving');
  await guest.delete('meta', 'account');
  guest.close();
  tab.wallet.shelf.close();
  tab.kill();
  const again = await browser.open();
  expect(names(again)).toEqual([]);
  expect(await browser.stored()).toEqual([`${browser.databases}-guest`]);
});

test('a wrong password, a taken address and a dead network are told apart', async () => {
  await signedUp(server, EMAIL);
  const { tab } = await guestWith();
  await expect(tab.session.signIn(EMAIL, 'wrong')).rejects.toMatchObject({ code: 'wrong-credentials', status: 401 });
  await expect(tab.session.signUp(EMAIL, PASSWORD)).rejects.toBeInstanceOf(ApiProblem);
  server.down = true;
  await expect(tab.session.signIn(EMAIL, PASSWORD)).rejects.toBeInstanceOf(Offline);
  expect(tab.wallet.sync.value.state).toBe('guest');
});

test('a second device has all the cards, and revoking it is seen in the list', async () => {
  const one = await signedUp(server, EMAIL);
  await keepAll(one.tab, 'Магнит', 'Ашан');
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  expect(names(other.tab)).toEqual(['Ашан', 'Магнит']);
  const devices = await one.tab.session.devices();
  expect(devices.map(({ current }) => current)).toEqual([true, false]);
  await one.tab.session.revoke(devices[1]!.id);
  expect(await one.tab.session.devices()).toHaveLength(1);
});
