/** A new device between the sign-in and its account's cards. */
import { beforeEach, expect, test } from 'vitest';
import { Browser } from './browser';
import { keepAll, names, PASSWORD, quiet, signedUp, until } from './help';
import { Server } from './server';

const EMAIL = 'anna@example.org';
let server: Server;

beforeEach(() => {
  server = new Server();
});

test('says that its cards are coming, not that there are none, until they are here', async () => {
  const { tab } = await signedUp(server, EMAIL);
  await keepAll(tab, 'Магнит');
  await quiet(tab);
  const phone = await new Browser(server).open();
  expect(phone.wallet.coming.value).toBe(false);
  await phone.session.signIn(EMAIL, PASSWORD);
  expect([phone.wallet.coming.value, phone.wallet.sync.value]).toMatchObject([true, { state: 'waiting', waiting: 0 }]);
  await quiet(phone);
  expect([phone.wallet.coming.value, names(phone)]).toEqual([false, ['Магнит']]);
});

test('does not say so of an account that holds none', async () => {
  const { tab } = await signedUp(server, EMAIL);
  expect(tab.wallet.coming.value).toBe(false);
});

test('tells that the network is away, and goes on waiting for the cards', async () => {
  await signedUp(server, EMAIL);
  const phone = await new Browser(server).open();
  await phone.session.signIn(EMAIL, PASSWORD);
  server.down = true;
  await until(() => expect(phone.wallet.sync.value.state).toBe('offline'));
  expect(phone.wallet.coming.value).toBe(true);
});
