/** One device and the server, and two devices of one person: nothing is lost, nothing happens twice. */
import { beforeEach, expect, test } from 'vitest';
import type { Mutation } from '../src/store/database';
import { enqueue } from '../src/store/queue';
import { Browser } from './browser';
import { keepAll, names, PASSWORD, quiet, signedIn, signedUp, until } from './help';
import { Problem, Server } from './server';

const EMAIL = 'anna@example.org';
let server: Server;

beforeEach(() => {
  server = new Server();
});

test('a card kept offline is shown at once and reaches the server when the network is back', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  const id = await tab.wallet.keep({ name: 'Магнит' });
  expect(names(tab)).toEqual(['Магнит']);
  await until(() => expect(tab.wallet.sync.value).toMatchObject({ state: 'offline', waiting: 1 }));
  server.down = false;
  browser.wake();
  await quiet(tab);
  expect(server.cards(EMAIL).get(id)?.name).toBe('Магнит');
});

test('after a failure it tries again by itself', async () => {
  const { tab } = await signedUp(server, EMAIL);
  server.down = true;
  await keepAll(tab, 'Магнит');
  await until(() => expect(tab.wallet.sync.value.state).toBe('offline'));
  server.down = false;
  await quiet(tab);
  expect(server.cards(EMAIL).size).toBe(1);
});

test('edits made offline are there after the page is opened again offline', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.down = true;
  const [id] = await keepAll(tab, 'Ашан');
  await tab.wallet.set(id!, { note: 'скидка 5 %' });
  tab.kill();
  const again = await browser.open();
  expect(again.wallet.shelf.find(id!)).toMatchObject({ name: 'Ашан', note: 'скидка 5 %' });
});

test('two devices editing different fields of one card offline keep both edits', async () => {
  const one = await signedUp(server, EMAIL);
  const [id] = await keepAll(one.tab, 'Лента');
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  server.down = true;
  await one.tab.wallet.set(id!, { note: 'из дома' });
  await other.tab.wallet.set(id!, { number: '7789' });
  server.down = false;
  one.browser.wake();
  other.browser.wake();
  for (const { tab } of [one, other]) {
    await until(() => expect(tab.wallet.shelf.find(id!)).toMatchObject({ note: 'из дома', number: '7789' }));
  }
});

test('an edit waiting here is shown over what another device has changed meanwhile', async () => {
  const one = await signedUp(server, EMAIL);
  const [id] = await keepAll(one.tab, 'Лента');
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  await other.tab.wallet.set(id!, { name: 'Лента Супермаркет', note: 'там' });
  await quiet(other.tab);
  // Pulls come through, pushes do not: the queue is replayed over the newer state.
  server.onRequest = ({ path, jar }) => {
    if (path === '/api/sync/push' && jar === one.browser.jar) throw new Problem(503, 'busy');
  };
  await one.tab.wallet.set(id!, { note: 'здесь' });
  await until(() => expect(one.tab.wallet.shelf.find(id!)).toMatchObject({ name: 'Лента Супермаркет', note: 'здесь' }));
  const blocked = { state: 'error', waiting: 1, problem: { code: 'busy' } };
  await until(() => expect(one.tab.wallet.sync.value).toMatchObject(blocked));
});

test('a lost answer is asked for again, and the use is counted once', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Окей');
  await quiet(tab);
  server.loseAnswerOf = '/api/sync/push';
  await tab.wallet.use(id!);
  await until(() => expect(tab.wallet.sync.value.state).toBe('offline'));
  browser.wake();
  await quiet(tab);
  expect(server.cards(EMAIL).get(id!)?.uses).toBe(1);
  expect(tab.wallet.shelf.find(id!)?.uses).toBe(1);
  const [first, second] = server.pushes.slice(-2);
  expect(second).toEqual(first);
});

test('what the pulled state already contains is not applied twice while its outcome is unknown', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Окей');
  await quiet(tab);
  server.loseAnswerOf = '/api/sync/push';
  await tab.wallet.use(id!);
  await until(() => expect(tab.wallet.sync.value.state).toBe('offline'));
  server.onRequest = ({ path }) => {
    if (path === '/api/sync/push') throw new Problem(503, 'busy');
  };
  browser.wake();
  await until(() => expect(tab.wallet.sync.value.state).toBe('error'));
  expect(await tab.wallet.shelf.db.count('queue')).toBe(1);
  expect(tab.wallet.shelf.find(id!)?.uses).toBe(1);
});

test('a change is seen without a gap between its receipt and the pull that brings it', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const seen: number[] = [];
  tab.wallet.shelf.cards.subscribe((cards) => seen.push(cards.length));
  server.onRequest = ({ path }) => {
    if (path === '/api/sync/pull') throw new Problem(503, 'busy');
  };
  await keepAll(tab, 'Дикси');
  await until(() => expect(tab.wallet.sync.value).toMatchObject({ waiting: 0, state: 'error' }));
  expect(seen.at(-1)).toBe(1);
  server.onRequest = () => undefined;
  await tab.wallet.engine!.exchange();
  await quiet(tab);
  expect(seen.slice(seen.indexOf(1)).every((count) => count === 1)).toBe(true);
});

test('a refused edit stays with its data until it is dismissed, and blocks nothing after it', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const id = await tab.wallet.keep({ name: 'x'.repeat(81), number: '42' });
  await keepAll(tab, 'После');
  await quiet(tab);
  const [refusal] = tab.wallet.sync.value.refusals;
  expect(refusal).toMatchObject({ card: id, name: 'card.keep', problem: { code: 'invalid' }, copy: { number: '42' } });
  expect(names(tab)).toEqual(['После']);
  tab.kill();
  const again = await browser.open();
  expect(again.wallet.sync.value.refusals).toHaveLength(1);
  await again.wallet.dismiss(refusal!);
  expect(again.wallet.sync.value.refusals).toEqual([]);
});

test('an edit of a card purged elsewhere brings the whole card back, into the bin, with every edit', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const id = await tab.wallet.keep({ name: 'Карусель', number: '123', note: 'старая' });
  await quiet(tab);
  server.down = true;
  await tab.wallet.set(id, { note: 'новая' });
  await tab.wallet.use(id);
  await tab.wallet.set(id, { group: 'продукты' });
  server.purge(EMAIL, id);
  server.down = false;
  browser.wake();
  await quiet(tab);
  const whole = { name: 'Карусель', number: '123', note: 'новая', group: 'продукты', uses: 1 };
  await until(() => expect(server.cards(EMAIL).get(id)).toMatchObject(whole));
  expect(server.cards(EMAIL).get(id)).toHaveProperty('binned_at');
  await until(() => expect(tab.wallet.shelf.binned.value).toMatchObject([whole]));
  expect(tab.wallet.sync.value.refusals).toEqual([]);
});

test('what is said again of a purged card undoes nothing that was set on it here since', async () => {
  const one = await signedUp(server, EMAIL);
  const id = await one.tab.wallet.keep({ name: 'Карусель' });
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  server.onRequest = ({ path, jar }) => {
    if (path === '/api/sync/pull' && jar === one.browser.jar) throw new Problem(503, 'busy');
  };
  server.down = true;
  await other.tab.wallet.set(id, { pin: '1' });
  server.purge(EMAIL, id);
  await one.tab.wallet.set(id, { note: 'раз', group: 'продукты' });
  server.down = false;
  one.browser.wake();
  await until(async () => expect(await one.tab.wallet.shelf.db.getAll('queue')).toMatchObject([{ gone: true }]));
  other.browser.wake();
  await until(() => expect(server.cards(EMAIL).get(id)).toMatchObject({ pin: '1' }));
  await one.tab.wallet.set(id, { note: 'два' });
  one.browser.wake();
  await until(() => expect(server.cards(EMAIL).get(id)).toMatchObject({ note: 'два' }));
  server.onRequest = () => undefined;
  one.browser.wake();
  await until(() => expect(server.cards(EMAIL).get(id)).toMatchObject({ group: 'продукты' }));
  expect(server.cards(EMAIL).get(id)).toMatchObject({ note: 'два', pin: '1' });
});

test('a card taken out of the bin here after it was purged elsewhere is among the cards again', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Карусель');
  await tab.wallet.bin(id!);
  await quiet(tab);
  server.down = true;
  await tab.wallet.restore(id!);
  server.purge(EMAIL, id!);
  server.down = false;
  browser.wake();
  await quiet(tab);
  await until(() => expect(names(tab)).toEqual(['Карусель']));
});

test('where a purged card cannot be kept again, its edits stay with the whole card and nothing is tried for ever', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Карусель');
  await quiet(tab);
  server.down = true;
  await tab.wallet.set(id!, { note: 'новая' });
  server.purge(EMAIL, id!);
  server.down = false;
  server.full = true;
  browser.wake();
  await quiet(tab);
  await until(() => expect(tab.wallet.sync.value.refusals).toMatchObject([
    { name: 'card.keep', problem: { code: 'space-full' }, copy: { name: 'Карусель', note: 'новая' } },
    { name: 'card.set', problem: { code: 'card-gone' }, copy: { name: 'Карусель', note: 'новая' } },
  ]));
  server.full = false;
  await tab.wallet.retryAsNew(tab.wallet.sync.value.refusals[0]!, { group: 'продукты' });
  await quiet(tab);
  expect(tab.wallet.sync.value.refusals).toEqual([]);
  expect([...server.cards(EMAIL).values()]).toMatchObject([{ name: 'Карусель', note: 'новая', group: 'продукты' }]);
});

test('after the server was restored from a backup, what it had acknowledged is sent again', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const backup = server.backup();
  const [id] = await keepAll(tab, 'Метро');
  // The receipt comes, the state does not: the device still holds the edit.
  server.onRequest = ({ path }) => {
    if (path === '/api/sync/pull') throw new Problem(503, 'busy');
  };
  await until(() => expect(tab.wallet.sync.value.waiting).toBe(0));
  server.restore(backup);
  server.onRequest = () => undefined;
  await tab.wallet.engine!.exchange();
  await quiet(tab);
  expect(server.cards(EMAIL).get(id!)?.name).toBe('Метро');
});

test('after such a restore an edit made since goes out together with what was lost', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const backup = server.backup();
  server.onRequest = ({ path }) => {
    if (path === '/api/sync/pull') throw new Problem(503, 'busy');
  };
  const [id] = await keepAll(tab, 'Метро');
  await until(() => expect(tab.wallet.sync.value.waiting).toBe(0));
  server.restore(backup);
  server.onRequest = () => undefined;
  await tab.wallet.set(id!, { note: 'после' });
  await quiet(tab);
  expect(server.cards(EMAIL).get(id!)).toMatchObject({ name: 'Метро', note: 'после' });
  expect(tab.wallet.sync.value.refusals).toEqual([]);
});

test('a server that expects numbers long gone gets the queue under a new client id', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const backup = server.backup();
  await keepAll(tab, 'Первая');
  await quiet(tab);
  const client = server.pushes.at(-1)!.client;
  server.restore(backup);
  const [id] = await keepAll(tab, 'Вторая');
  await quiet(tab);
  expect(server.cards(EMAIL).get(id!)?.name).toBe('Вторая');
  expect([...server.cards(EMAIL).values()].map(({ name }) => name).sort()).toEqual(['Вторая', 'Первая']);
  expect(server.pushes.at(-1)!.client).not.toBe(client);
  expect(server.pushes.at(-1)!.mutations.map((mutation) => mutation.id)).toEqual([1, 2]);
});

test('after a restore a device tells again every card, edit, use and deletion that the backup lacks', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [old, binned] = await keepAll(tab, 'Старая', 'Лишняя');
  await quiet(tab);
  const backup = server.backup();
  await tab.wallet.set(old!, { note: 'после копии' });
  await tab.wallet.use(old!);
  await tab.wallet.bin(binned!);
  const [fresh] = await keepAll(tab, 'Новая');
  await quiet(tab);
  server.restore(backup);
  browser.wake();
  await until(() => expect(server.cards(EMAIL).get(old!)).toMatchObject({ note: 'после копии', uses: 1 }));
  expect(server.cards(EMAIL).get(binned!)).toHaveProperty('binned_at');
  expect(server.cards(EMAIL).get(fresh!)).toMatchObject({ name: 'Новая' });
  expect(new Set(server.pushes.map(({ client }) => client)).size).toBe(2);
  await until(() => expect(names(tab)).toEqual(['Новая', 'Старая']));
  expect(tab.wallet.sync.value.refusals).toEqual([]);
});

test('after a restore the second of two devices tells nothing twice', async () => {
  const one = await signedUp(server, EMAIL);
  const [id] = await keepAll(one.tab, 'Лента');
  await quiet(one.tab);
  const backup = server.backup();
  await one.tab.wallet.use(id!);
  await one.tab.wallet.set(id!, { note: 'да' });
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  server.restore(backup);
  for (const { tab } of [one, other, one]) await tab.wallet.engine!.exchange();
  await Promise.all([quiet(one.tab), quiet(other.tab)]);
  expect(server.cards(EMAIL).get(id!)).toMatchObject({ uses: 1, note: 'да' });
  expect(other.tab.wallet.sync.value.refusals).toEqual([]);
});

test('what others have set since a restore stands, and a long-absent device keeps its own for the person', async () => {
  const one = await signedUp(server, EMAIL);
  const [id] = await keepAll(one.tab, 'Лента');
  await quiet(one.tab);
  const backup = server.backup();
  await one.tab.wallet.set(id!, { note: 'до', group: 'еда' });
  await quiet(one.tab);
  one.tab.kill();
  server.restore(backup);
  const other = await signedIn(server, EMAIL);
  await other.tab.wallet.set(id!, { note: 'после' });
  await quiet(other.tab);
  const again = await one.browser.open();
  await quiet(again);
  await until(() => expect(server.cards(EMAIL).get(id!)).toMatchObject({ note: 'после', group: 'еда' }));
  await until(() => expect(again.wallet.sync.value.refusals).toMatchObject([
    { name: 'card.set', problem: { code: 'changed-since-restore' }, args: { fields: { note: 'до' } }, copy: { note: 'до' } },
  ]));
});

test('an edit of a card that the restore has lost brings it back among the cards, not into the bin', async () => {
  const one = await signedUp(server, EMAIL);
  const backup = server.backup();
  const [id] = await keepAll(one.tab, 'Лента');
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  server.restore(backup);
  await other.tab.wallet.set(id!, { note: 'да' });
  await quiet(other.tab);
  await until(() => expect(server.cards(EMAIL).get(id!)).toMatchObject({ name: 'Лента', note: 'да' }));
  expect(server.cards(EMAIL).get(id!)).not.toHaveProperty('binned_at');
  expect(other.tab.wallet.sync.value.refusals).toEqual([]);
});

test('a deletion the device has seen is said again after a restore brought the card back', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Лишняя');
  await quiet(tab);
  const backup = server.backup();
  server.purge(EMAIL, id!);
  await tab.wallet.engine!.exchange();
  server.restore(backup);
  browser.wake();
  await until(() => expect(server.cards(EMAIL).get(id!)).toHaveProperty('binned_at'));
});

test('a gap inside the queue is filled by sending from the number the server expects', async () => {
  const { tab } = await signedUp(server, EMAIL);
  server.down = true;
  await keepAll(tab, 'Раз', 'Два', 'Три');
  let asked = false;
  server.onRequest = ({ path }) => {
    if (path !== '/api/sync/push' || asked) return;
    asked = true;
    throw new Problem(409, 'gap', { expected: 2 });
  };
  server.down = false;
  await tab.wallet.engine!.exchange();
  await quiet(tab);
  expect(server.pushes[0]!.mutations.map(({ id }) => id)).toEqual([2, 3]);
  expect([...server.cards(EMAIL).values()].map(({ name }) => name).sort()).toEqual(['Два', 'Раз', 'Три']);
});

test('a copied profile forks the numbering: the second copy queues again and both copies arrive', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Общая');
  await quiet(tab);
  const { db } = tab.wallet.shelf;
  const copied = await db.get('meta', 'client');
  await keepAll(tab, 'С первой');
  await quiet(tab);
  await db.put('meta', copied, 'client');
  const [id] = await keepAll(tab, 'Со второй');
  await quiet(tab);
  browser.wake();
  expect(server.cards(EMAIL).get(id!)?.name).toBe('Со второй');
  await until(() => expect(names(tab)).toEqual(['Общая', 'С первой', 'Со второй']));
});

test('a fork does not send again what the other copy has sent, so its later edit stands', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Общая');
  await quiet(tab);
  server.down = true;
  await tab.wallet.set(id!, { note: 'раньше' });
  const { db } = tab.wallet.shelf;
  const [client, queued] = [await db.get('meta', 'client'), await db.getAll('queue')];
  server.down = false;
  await tab.wallet.set(id!, { note: 'позже' });
  await tab.wallet.engine!.exchange();
  await quiet(tab);
  await db.put('meta', client, 'client');
  await db.put('queue', queued[0]!);
  await tab.wallet.set(id!, { number: '42' });
  await tab.wallet.engine!.exchange();
  await quiet(tab);
  expect(server.cards(EMAIL).get(id!)).toMatchObject({ note: 'позже', number: '42' });
});

test('a fork does not send again what was acknowledged, so another device\'s later edit stands', async () => {
  const one = await signedUp(server, EMAIL);
  const [id] = await keepAll(one.tab, 'Общая');
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  server.onRequest = ({ path, jar }) => {
    if (path === '/api/sync/pull' && jar === one.browser.jar) throw new Problem(503, 'busy');
  };
  await one.tab.wallet.set(id!, { note: 'раньше' });
  await until(() => expect(one.tab.wallet.sync.value.waiting).toBe(0));
  await other.tab.wallet.set(id!, { note: 'позже' });
  await quiet(other.tab);
  let asked = false;
  server.onRequest = ({ path, jar }) => {
    if (path !== '/api/sync/push' || jar !== one.browser.jar || asked) return;
    asked = true;
    throw new Problem(409, 'client-forked', { id: 3 });
  };
  await one.tab.wallet.set(id!, { number: '42' });
  await quiet(one.tab);
  expect(asked).toBe(true);
  expect(server.cards(EMAIL).get(id!)).toMatchObject({ note: 'позже', number: '42' });
});

test('a mutation unknown to the server stays queued, those before it do not, and an update is looked for', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Верный');
  await quiet(tab);
  server.unknownMutators.add('card.bin');
  server.down = true;
  await tab.wallet.set(id!, { note: 'до' });
  await tab.wallet.bin(id!);
  await tab.wallet.restore(id!);
  server.down = false;
  browser.wake();
  await until(() => expect(tab.wallet.sync.value).toMatchObject({ state: 'error', waiting: 2 }));
  expect(tab.wallet.sync.value.problem?.code).toBe('upgrade-needed');
  expect(browser.updateChecks).toBeGreaterThan(0);
  expect(server.cards(EMAIL).get(id!)?.note).toBe('до');
  server.unknownMutators.clear();
  browser.wake();
  await quiet(tab);
});

test('a long queue goes out in batches of at most five hundred and in order', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Глобус');
  await quiet(tab);
  const space = server.spaceOf(EMAIL);
  const edits = Array.from({ length: 510 }, (_, index): Mutation => {
    const args = { space, id: id!, fields: { note: `${index + 1}` } };
    return { name: 'card.set', args, made_at: '2026-11-21T10:00:00Z' };
  });
  await enqueue(tab.wallet.shelf.db, edits, []);
  await tab.wallet.engine!.exchange();
  await quiet(tab);
  expect(server.pushes.slice(-2).map(({ mutations }) => mutations.length)).toEqual([500, 10]);
  expect(server.cards(EMAIL).get(id!)?.note).toBe('510');
});

test('a poke brings another device\'s edit without being asked', async () => {
  const one = await signedUp(server, EMAIL);
  const other = await signedIn(server, EMAIL);
  await until(() => expect(server.streamCount).toBe(2));
  await keepAll(one.tab, 'Перекрёсток');
  await until(() => expect(names(other.tab)).toEqual(['Перекрёсток']));
});

test('a poke that comes while an exchange is under way is not forgotten', async () => {
  const { tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Недолгая');
  await quiet(tab);
  await until(() => expect(server.streamCount).toBe(1));
  server.onAnswer = ({ path }) => {
    if (path !== '/api/sync/pull') return;
    server.onAnswer = () => undefined;
    server.purge(EMAIL, id!);
  };
  await tab.wallet.engine!.exchange();
  expect(names(tab)).toEqual([]);
});

test('a live stream that broke is opened again, and what was missed meanwhile arrives', async () => {
  const one = await signedUp(server, EMAIL);
  const other = await signedIn(server, EMAIL);
  await until(() => expect(server.streamCount).toBe(2));
  server.endStreams();
  expect(server.streamCount).toBe(0);
  await until(() => expect(server.streamCount).toBe(2));
  await keepAll(one.tab, 'Перекрёсток');
  await until(() => expect(names(other.tab)).toEqual(['Перекрёсток']));
});

test('a binned card waits in the bin on every device and comes back', async () => {
  const one = await signedUp(server, EMAIL);
  const [id] = await keepAll(one.tab, 'Спар');
  await one.tab.wallet.bin(id!);
  await quiet(one.tab);
  const other = await signedIn(server, EMAIL);
  await until(() => expect(other.tab.wallet.shelf.binned.value.map(({ name }) => name)).toEqual(['Спар']));
  await other.tab.wallet.restore(id!);
  await until(() => expect(names(one.tab)).toEqual(['Спар']));
});

test('an expired session wipes nothing, and the same person goes on over the same queue', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  server.expire(browser.jar);
  const [id] = await keepAll(tab, 'Виктория');
  await until(() => expect(tab.wallet.sync.value).toMatchObject({ state: 'signed-out', waiting: 1 }));
  expect(names(tab)).toEqual(['Виктория']);
  await tab.session.signIn(EMAIL, PASSWORD);
  await quiet(tab);
  expect(server.cards(EMAIL).get(id!)?.name).toBe('Виктория');
});

test('a cookie of another account reads and writes nothing', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const stranger = await signedUp(server, 'boris@example.org');
  Object.assign(browser.jar, stranger.browser.jar);
  await keepAll(tab, 'Моё');
  await until(() => expect(tab.wallet.sync.value).toMatchObject({ state: 'signed-out', waiting: 1 }));
  expect(server.cards('boris@example.org').size).toBe(0);
  expect(names(tab)).toEqual(['Моё']);
});

test('a revoked device wipes its data at the next call', async () => {
  const one = await signedUp(server, EMAIL);
  const other = await signedIn(server, EMAIL);
  await keepAll(other.tab, 'Тайная');
  await quiet(other.tab);
  const device = other.tab.wallet.account.value!.device.id;
  await one.tab.session.revoke(device);
  other.browser.wake();
  await until(() => expect(other.tab.wallet.notice.value).toBe('device-revoked'));
  expect(other.tab.wallet.account.value).toBeNull();
  expect(names(other.tab)).toEqual([]);
  await until(async () => expect(await other.browser.stored()).toEqual([`${other.browser.databases}-guest`]));
});

test('a guest never calls the server', async () => {
  const browser = new Browser(server);
  const tab = await browser.open();
  const [id] = await keepAll(tab, 'Гостевая');
  await tab.wallet.use(id!);
  await tab.wallet.set(id!, { name: 'Гостья', favourite: true });
  browser.wake();
  expect(tab.wallet.shelf.find(id!)).toMatchObject({ name: 'Гостья', favourite: true, uses: 1 });
  expect(tab.wallet.sync.value).toMatchObject({ state: 'guest', waiting: 0 });
  expect(server.seen).toEqual([]);
});
