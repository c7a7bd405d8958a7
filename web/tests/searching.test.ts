/** The search box of the wallet: when it is there, and whose words it holds. */
import { signal } from '@preact/signals';
import { beforeEach, expect, test, vi } from 'vitest';
import type { Account, Card } from '../src/model';
import { card } from './help';

const wallet = vi.hoisted(() => ({}) as {
  cards: { value: readonly Card[] };
  account: { value: Account | null };
  language: { value: string };
});
vi.mock('../src/wallet', () => Object.assign(wallet, { cards: signal([]), account: signal(null), language: signal('ru') }));
const { query, searching } = await import('../src/screens/searching');

const ANNA: Account = { id: 'anna', email: 'anna@example.org', space: 'hers', device: { id: 'phone', name: 'phone' } };

beforeEach(() => {
  wallet.account.value = ANNA;
  wallet.cards.value = [card('Пятёрочка'), card('Пятница')];
  query.value = 'пят';
});

test('a wallet that has lost its last card shows no search, and begins without one when a card comes', () => {
  wallet.cards.value = [];
  expect(searching.value).toBe(false);
  wallet.cards.value = [card('Магнит')];
  expect([searching.value, query.value]).toEqual([false, '']);
});

test('words typed for one account are not there for the next', () => {
  wallet.account.value = null;
  expect(query.value).toBe('');
});

test('a search goes on while cards come and go', () => {
  wallet.cards.value = [card('Пятёрочка')];
  expect([searching.value, query.value]).toEqual([true, 'пят']);
});
