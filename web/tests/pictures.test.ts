/** Pictures: up before the mutation that names them, kept until its receipt, fetched behind, dropped when unnamed. */
import { beforeEach, expect, test } from 'vitest';
import { collect } from '../src/store/pictures';
import type { OpenTab } from './browser';
import { quiet, signedIn, signedUp, until } from './help';
import { Problem, Server } from './server';

const EMAIL = 'anna@example.org';
let server: Server;

beforeEach(() => {
  server = new Server();
});

function photo(text: string): Blob {
  return new Blob([text], { type: 'image/webp' });
}

async function storedIn({ wallet }: OpenTab): Promise<number> {
  return wallet.shelf.db.count('pictures');
}

test('a picture is uploaded before the push that names it', async () => {
  const { tab } = await signedUp(server, EMAIL);
  server.seen.length = 0;
  await tab.wallet.keep({ name: 'С лицом' }, { front: photo('лицо'), back: photo('оборот') });
  await quiet(tab);
  const order = server.seen.filter((call) => !call.startsWith('GET')).map((call) => call.split('/')[2]);
  expect(order).toEqual(['pictures', 'pictures', 'sync']);
  expect(server.pictures.size).toBe(2);
});

test('a picture kept offline is still there to be sent after days of restarts', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  await tab.wallet.keep({ name: 'С лицом' }, { front: photo('лицо') });
  tab.kill();
  for (let day = 0; day < 2; day++) (await browser.open()).kill();
  const { wallet } = await browser.open();
  await collect(wallet.shelf.db);
  expect(await wallet.shelf.db.count('pictures')).toBe(1);
  server.down = false;
  browser.wake();
  await until(() => expect(server.pictures.size).toBe(1));
});

test('a picture whose upload answer was lost is sent again, unchanged', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const { jar } = browser;
  server.onRequest = ({ path }) => {
    if (path.startsWith('/api/pictures/')) server.loseAnswerOf = path;
  };
  const id = await tab.wallet.keep({ name: 'С лицом' }, { front: photo('лицо') });
  await until(() => expect(tab.wallet.sync.value.state).toBe('offline'));
  server.onRequest = () => undefined;
  server.loseAnswerOf = undefined;
  browser.wake();
  await quiet(tab);
  expect(jar.session).toBeDefined();
  expect(server.cards(EMAIL).get(id)?.front).toBe([...server.pictures.keys()][0]!.split('/')[1]);
});

test('a picture the server has lost is uploaded again when it asks', async () => {
  const { tab } = await signedUp(server, EMAIL);
  let pushes = 0;
  server.onRequest = ({ path }) => {
    // Unreferenced pictures are dropped by the server after a day.
    if (path === '/api/sync/push' && ++pushes === 1) server.pictures.clear();
  };
  const id = await tab.wallet.keep({ name: 'С лицом' }, { front: photo('лицо') });
  await quiet(tab);
  expect(server.pictures.size).toBe(1);
  expect(server.cards(EMAIL).get(id)?.front).toBeDefined();
});

test('a card whose picture neither side has any more is kept without it', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  const id = await tab.wallet.keep({ name: 'Без лица' }, { front: photo('лицо') });
  await tab.wallet.shelf.db.clear('pictures');
  server.down = false;
  browser.wake();
  await quiet(tab);
  expect(server.cards(EMAIL).get(id)).toMatchObject({ name: 'Без лица' });
  expect(server.cards(EMAIL).get(id)?.front).toBeUndefined();
  expect(tab.wallet.shelf.find(id)?.front).toBeUndefined();
});

test('a picture the server will never take does not hold the card back, and a refusal tells of it', async () => {
  const { tab } = await signedUp(server, EMAIL);
  server.onRequest = ({ method, path }) => {
    if (method === 'PUT' && path.startsWith('/api/pictures/')) throw new Problem(415, 'not-a-picture');
  };
  const id = await tab.wallet.keep({ name: 'Без лица' }, { front: photo('не картинка') });
  await quiet(tab);
  expect(server.cards(EMAIL).get(id)).toMatchObject({ name: 'Без лица' });
  expect(tab.wallet.sync.value.refusals).toMatchObject([{ card: id, problem: { code: 'not-a-picture' } }]);
  expect(tab.wallet.sync.value.refusals[0]!.copy).toBeUndefined();
});

test('pulled cards bring their pictures, which are there offline', async () => {
  const one = await signedUp(server, EMAIL);
  const id = await one.tab.wallet.keep({ name: 'С лицом' }, { front: photo('лицо') });
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  await until(async () => expect(await storedIn(other.tab)).toBe(1));
  expect(other.tab.wallet.pictures.value).toBeGreaterThan(0);
  server.down = true;
  const { front } = other.tab.wallet.shelf.find(id)!;
  expect(await (await other.tab.wallet.picture(front!))!.text()).toBe('лицо');
});

test('a new front replaces the old one, whose bytes go once no card names them', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const id = await tab.wallet.keep({ name: 'С лицом' }, { front: photo('старое') });
  await quiet(tab);
  await tab.wallet.set(id, {}, { front: photo('новое') });
  await quiet(tab);
  await until(async () => expect(await storedIn(tab)).toBe(1));
  const { front } = tab.wallet.shelf.find(id)!;
  expect(await (await tab.wallet.picture(front!))!.text()).toBe('новое');
});

test('a refused card keeps its picture until it is dismissed', async () => {
  const { tab } = await signedUp(server, EMAIL);
  await tab.wallet.keep({ name: 'x'.repeat(81) }, { front: photo('лицо') });
  await tab.wallet.keep({ name: 'y'.repeat(81) }, { front: photo('другое') });
  await quiet(tab);
  await collect(tab.wallet.shelf.db);
  server.pictures.clear();
  const [first, second] = tab.wallet.sync.value.refusals;
  const id = await tab.wallet.retryAsNew(first!, { name: 'Короче' });
  await quiet(tab);
  const { front } = server.cards(EMAIL).get(id)!;
  expect(await (await tab.wallet.picture(front!))!.text()).toBe('лицо');
  await tab.wallet.dismiss(second!);
  await collect(tab.wallet.shelf.db);
  expect(await storedIn(tab)).toBe(1);
});
