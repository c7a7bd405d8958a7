/** What shops say of connected cards, and what a person wishes to hear of it: kept, moved and cleared like a card. */
import { expect, test } from 'vitest';
import type { Live } from '../src/model';
import type { Mutation, Queued, Row } from '../src/store/database';
import { CardViews, wishesOf, type State } from '../src/store/state';
import { keepAll, quiet, signedIn, signedUp, until } from './help';
import { Server } from './server';

const EMAIL = 'anna@example.org';
const AT = '2026-11-21T10:00:00Z';

function said(main: number): Live {
  const unit = { points: { ru: ['балл', 'балла', 'баллов'], en: ['point', 'points'] } };
  return { slug: 'lenta', link: 'l', policy: 'challenge', since: AT, unit, balance: { main, as_of: AT } };
}

function row(key: string, value: object, version = 1, space = 'own'): Row {
  return { space, key, version, value: value as Row['value'] };
}

function queued(id: number, name: Mutation['name'], args: object): Queued {
  return { id, name, args: { space: 'own', ...args } as Queued['args'], made_at: AT };
}

function state(rows: Row[], queue: Queued[] = [], contained = 0): State {
  return { rows, queue, contained, refusals: [], client: 'client', pulled: true };
}

test('what a shop says stands on its card, and only a card of which it says something new is drawn anew', () => {
  const views = new CardViews();
  const cards = [row('card/a', { name: 'a' }), row('card/b', { name: 'b' })];
  const [a, b] = views.of(state([...cards, row('live/a', said(10), 2), row('live/b', said(1), 3)]));
  expect(a!.live!.balance!.main).toBe(10);
  const [newA, sameB] = views.of(state([...cards, row('live/a', said(20), 4), row('live/b', said(1), 3)]));
  expect(newA!.live!.balance!.main).toBe(20);
  expect(sameB).toBe(b);
  expect(views.of(state(cards))[0]).not.toHaveProperty('live');
});

test('a card that is moved takes along what its shop says before the server has heard of it', () => {
  const rows = [row('card/a', { name: 'a' }), row('live/a', said(10), 2)];
  const [card] = new CardViews().of(state(rows, [queued(1, 'card.move', { id: 'a', to: 'home' })]));
  expect(card).toMatchObject({ space: 'home', live: { balance: { main: 10 } } });
});

test('wishes not sent yet stand over those that came, and others’ spaces have none of this person’s', () => {
  const rows = [row('wishes/offers', { muted: ['magnit'], notices: false }), row('wishes/offers', { muted: ['x'] }, 1, 'home')];
  const wishes = [
    queued(1, 'offers.wish', { slug: 'magnit', muted: true }),
    queued(2, 'offers.wish', { slug: 'lenta', muted: true }),
    queued(3, 'offers.wish', { slug: 'magnit', muted: false }),
    queued(4, 'offers.wish', { notices: true }),
  ];
  expect(wishesOf(state(rows, wishes), 'own')).toEqual({ muted: ['lenta'], notices: true });
  expect(wishesOf(state(rows, wishes, 4), 'own')).toEqual({ muted: ['magnit'], notices: false });
  expect(wishesOf(state([]), 'own')).toEqual({ muted: [], notices: false });
  expect(new CardViews().of(state(rows, wishes))).toEqual([]);
});

test('a balance appears and moves by itself, is there offline after a new start, and goes when the link ends', async () => {
  const server = new Server();
  const { browser, tab } = await signedUp(server, EMAIL);
  const [id] = await keepAll(tab, 'Лента');
  await quiet(tab);
  const shown = (wallet = tab.wallet) => wallet.shelf.find(id!)?.live?.balance?.main;
  for (const main of [1240, 1190]) {
    server.write(EMAIL, `live/${id}`, said(main));
    await until(() => expect(shown()).toBe(main));
  }
  server.down = true;
  tab.kill();
  const again = await browser.open();
  expect(shown(again.wallet)).toBe(1190);
  server.down = false;
  server.write(EMAIL, `live/${id}`, null);
  browser.wake();
  await until(() => expect(again.wallet.shelf.find(id!)).not.toHaveProperty('live'));
  again.kill();
});

test('a shop muted offline is muted at once, and on the other device when the network is back', async () => {
  const server = new Server();
  const { browser, tab } = await signedUp(server, EMAIL);
  const other = await signedIn(server, EMAIL);
  server.down = true;
  await tab.wallet.wish({ slug: 'lenta', muted: true });
  await tab.wallet.wish({ notices: true });
  expect(tab.wallet.shelf.wishes.value).toEqual({ muted: ['lenta'], notices: true });
  server.down = false;
  browser.wake();
  await quiet(tab);
  other.browser.wake();
  await until(() => expect(other.tab.wallet.shelf.wishes.value).toEqual({ muted: ['lenta'], notices: true }));
  expect(server.pushes.flatMap(({ mutations }) => mutations).map(({ args }) => args)[0])
    .toEqual({ space: server.spaceOf(EMAIL), slug: 'lenta', muted: true });
});

test('a wish that a restore has lost is told again, and one that somebody has made since is not undone', async () => {
  const server = new Server();
  const { browser, tab } = await signedUp(server, EMAIL);
  await tab.wallet.wish({ slug: 'magnit', muted: true });
  await quiet(tab);
  const backup = server.backup();
  await tab.wallet.wish({ slug: 'magnit', muted: false });
  await tab.wallet.wish({ slug: 'lenta', muted: true });
  await quiet(tab);
  server.restore(backup);
  browser.wake();
  const wishes = () => tab.wallet.shelf.wishes.value;
  await until(() => expect(server.body(EMAIL, 'wishes/offers')).toEqual({ muted: ['lenta'], notices: false }));
  await quiet(tab);
  expect(wishes()).toEqual({ muted: ['lenta'], notices: false });
});
