/** A card that several people share, as one device shows it: at once where it was moved, and one's own where refused. */
import { expect, test } from 'vitest';
import { write, type CardBody } from '../src/store/database';
import { signedUp, until } from './help';
import { Server } from './server';

const HOUSEHOLD = 'b5f0a3de-0000-4000-8000-000000000001';

test('a moved card is shown in its new space at once, with later edits, and nowhere twice', async () => {
  const server = new Server();
  const { tab } = await signedUp(server, 'anna@example.org');
  const { wallet } = tab;
  const id = await wallet.keep({ name: 'Магнит' });
  server.down = true;
  await wallet.move(id, HOUSEHOLD);
  await wallet.set(id, { note: 'в семье' });
  expect(wallet.shelf.cards.value).toMatchObject([{ id, space: HOUSEHOLD, note: 'в семье' }]);
  await wallet.move(id, server.spaceOf('anna@example.org'));
  expect(wallet.shelf.cards.value).toMatchObject([{ id, space: server.spaceOf('anna@example.org'), note: 'в семье' }]);
  const queue = await wallet.shelf.db.getAll('queue');
  expect(queue.map(({ name, args }) => [name, args.space === HOUSEHOLD]).slice(-3)).toEqual([
    ['card.move', false], ['card.set', true], ['card.move', true],
  ]);
  tab.kill();
});

test('an edit refused since its household is closed is kept as an own card, photo and all', async () => {
  const server = new Server();
  const { tab } = await signedUp(server, 'anna@example.org');
  const { wallet } = tab;
  const [id, front] = ['0190b0b0-0000-7000-8000-000000000001', '0190b0b0-0000-7000-8000-000000000002'];
  await write(wallet.shelf.db, ['cards', 'pictures'], async (tx) => {
    const value: CardBody = { name: 'Лента', front };
    await tx.objectStore('cards').put({ space: HOUSEHOLD, key: `card/${id}`, version: 1, value });
    const bytes = new Uint8Array([1, 2, 3]).buffer;
    await tx.objectStore('pictures').put({ id: front, space: HOUSEHOLD, type: 'image/webp', bytes, sent: true });
  });
  await wallet.shelf.refresh();
  await wallet.use(id);
  await wallet.set(id, { note: 'поздно' });
  await until(() => expect(wallet.sync.value.refusals).toMatchObject([{ problem: { code: 'not-found' } }]));
  await wallet.retryAsNew(wallet.sync.value.refusals[0]!);
  await until(() => expect([...server.cards('anna@example.org').values()]).toMatchObject([{ note: 'поздно' }]));
  const [kept] = server.cards('anna@example.org').values();
  const place = `${server.spaceOf('anna@example.org')}/${kept!.front}`;
  expect([kept!.front !== front, server.pictures.get(place)]).toEqual([true, new Uint8Array([1, 2, 3])]);
  tab.kill();
});

test('who is in a household comes with the rows, and says whether a card may be changed', async () => {
  const server = new Server();
  const { tab } = await signedUp(server, 'anna@example.org');
  const { wallet } = tab;
  const me = wallet.account.value!.id;
  const members = [{ id: me, name: 'Анна', role: 'viewer', joined_at: '2026-11-21T10:00:00Z' }];
  await write(wallet.shelf.db, ['cards'], async (tx) => {
    const value = { name: 'Дача', members } as unknown as CardBody;
    await tx.objectStore('cards').put({ space: HOUSEHOLD, key: 'about', version: 1, value });
  });
  await wallet.shelf.refresh();
  expect(wallet.shelf.households.value).toEqual([{ id: HOUSEHOLD, name: 'Дача', members }]);
  expect([wallet.shelf.all.value, wallet.shelf.mayEdit(HOUSEHOLD)]).toEqual([[], false]);
  expect(wallet.shelf.mayEdit(server.spaceOf('anna@example.org'))).toBe(true);
  tab.kill();
});
