/** Several tabs of one browser: one queue, one push at a time, one picture of the wallet. */
import { beforeEach, expect, test } from 'vitest';
import { Browser } from './browser';
import { keepAll, names, PASSWORD, quiet, signedUp, until } from './help';
import { Server } from './server';

const EMAIL = 'anna@example.org';
let server: Server;

beforeEach(() => {
  server = new Server();
});

test('a card kept in one tab shows in the other, a guest\'s too', async () => {
  const browser = new Browser(server);
  const [one, other] = [await browser.open(), await browser.open()];
  await keepAll(one, 'Магнит');
  await until(() => expect(names(other)).toEqual(['Магнит']));
});

test('edits of two tabs get numbers without gaps and arrive once each', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const other = await browser.open();
  const [id] = await keepAll(tab, 'Общая');
  await until(() => expect(names(other)).toEqual(['Общая']));
  await Promise.all([tab, other, tab, other, tab, other].map(({ wallet }) => wallet.use(id!)));
  await quiet(tab);
  await quiet(other);
  // Uses are no edits that a person waits for: the mark says nothing of them.
  await until(() => expect(server.cards(EMAIL).get(id!)?.uses).toBe(6));
  expect(new Set(server.pushes.map(({ client }) => client)).size).toBe(1);
});

test('two tabs never push at the same time', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const other = await browser.open();
  await keepAll(tab, 'Раз');
  await keepAll(other, 'Два');
  await Promise.all([tab.wallet.engine!.exchange(), other.wallet.engine!.exchange()]);
  await quiet(tab);
  const ids = server.pushes.flatMap(({ mutations }) => mutations.map(({ id }) => id));
  expect(ids).toEqual([1, 2]);
  expect(server.pushesAtOnce).toBe(1);
});

test('an edit of a tab that was closed before it could send it is sent by the other', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const other = await browser.open();
  await quiet(other);
  other.wallet.engine!.soon = () => undefined;
  const id = await other.wallet.keep({ name: 'Сирота' });
  await until(() => expect(names(tab)).toEqual(['Сирота']));
  other.kill();
  await quiet(tab);
  expect(server.cards(EMAIL).get(id)?.name).toBe('Сирота');
});

test('what was being read when the data was closed is not shown', async () => {
  const browser = new Browser(server);
  const tab = await browser.open();
  await keepAll(tab, 'Гостевая');
  const late = tab.wallet.shelf.refresh();
  tab.wallet.shelf.close();
  await late;
  expect(names(tab)).toEqual([]);
});

test('one tab holds the live stream, and the next takes over when it is closed', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const other = await browser.open();
  await quiet(other);
  await until(() => expect(server.streamCount).toBe(1));
  tab.kill();
  await until(() => expect(server.streamCount).toBe(1));
  const phone = new Browser(server);
  const third = await phone.open();
  await third.session.signIn(EMAIL, PASSWORD);
  await keepAll(third, 'С телефона');
  await until(() => expect(names(other)).toEqual(['С телефона']));
});

test('signing in and signing out reload the other tabs', async () => {
  const browser = new Browser(server);
  const [one, other] = [await browser.open(), await browser.open()];
  await one.session.signUp(EMAIL, PASSWORD);
  await until(() => expect(other.reloads()).toBe(1));
  await one.session.signOut();
  await until(() => expect(other.reloads()).toBe(2));
});

test('a sign-in lets what is typed in other tabs be kept first, a sign-out does not let it stay in view', async () => {
  const browser = new Browser(server);
  const [one, guest] = [await browser.open(), await browser.open()];
  await one.session.signUp(EMAIL, PASSWORD);
  const other = await browser.open();
  await one.session.signOut();
  await until(() => expect([guest.reloads(), other.reloads()]).toEqual([2, 1]));
  expect([guest.reloadsNow(), other.reloadsNow()]).toEqual([0, 1]);
});

test('an edit of a guest\'s card that another tab has taken into an account says that it is not stored', async () => {
  const browser = new Browser(server);
  const [one, guest] = [await browser.open(), await browser.open()];
  const [id] = await keepAll(one, 'Магнит');
  await until(() => expect(names(guest)).toEqual(['Магнит']));
  await one.session.signUp(EMAIL, PASSWORD);
  await one.session.adopt([id!]);
  await quiet(one);
  await until(async () => expect(await one.session.guestCards()).toEqual([]));
  await expect(guest.wallet.set(id!, { note: 'скидка' })).rejects.toThrow();
});

test('a tab opened while a sign-in waits for a slow network shows the guest\'s cards at once', async () => {
  const browser = new Browser(server);
  const one = await browser.open();
  await keepAll(one, 'Гостевая');
  let arrive: () => void = () => undefined;
  server.slow = new Promise((resolve) => (arrive = resolve));
  const signingIn = one.session.signUp(EMAIL, PASSWORD);
  const other = await browser.open();
  expect(names(other)).toEqual(['Гостевая']);
  arrive();
  await signingIn;
  await until(() => expect(other.reloads()).toBe(1));
});

test('signing out in one tab does not lose what the other has just kept', async () => {
  const { browser, tab } = await signedUp(server, EMAIL);
  const other = await browser.open();
  await quiet(other);
  server.down = true;
  await other.wallet.keep({ name: 'Только что' });
  await expect(tab.session.signOut()).rejects.toMatchObject({ name: 'UnsentChanges' });
  server.down = false;
  await tab.session.signOut();
  expect([...server.cards(EMAIL).values()].map(({ name }) => name)).toEqual(['Только что']);
});
