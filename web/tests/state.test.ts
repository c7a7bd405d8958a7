/** The optimistic state as a value: rows with the queue replayed over them. */
import { expect, test } from 'vitest';
import type { Mutation, Queued, Row } from '../src/store/database';
import { changes, sparse } from '../src/store/fields';
import { CardViews, type State } from '../src/store/state';

const SPACE = 'space';
const AT = '2026-11-21T10:00:00Z';

function row(id: string, value: Partial<Row['value']> = {}, version = 1): Row {
  return { space: SPACE, key: `card/${id}`, version, value: { name: id, ...value } };
}

function queued(id: number, name: Mutation['name'], card: string, rest: object = {}): Queued {
  return { id, name, args: { space: SPACE, id: card, ...rest }, made_at: AT };
}

function state(rows: Row[], queue: Queued[] = [], contained = 0): State {
  return { rows, queue, contained, refusals: [], client: 'client', pulled: true };
}

test('a row without optional fields reads as their defaults', () => {
  const [card] = new CardViews().of(state([row('a')]));
  expect(card).toEqual({ id: 'a', space: SPACE, name: 'a', codes: [], favourite: false, archived: false, uses: 0 });
});

test('rows that are no cards are not shown as cards', () => {
  expect(new CardViews().of(state([{ ...row('a'), key: 'live/a' }]))).toEqual([]);
});

test('queued edits are shown in their order, null clears, and those the rows contain are not made twice', () => {
  const queue = [
    queued(1, 'card.use', 'a', { use: 'u1', at: AT }),
    queued(2, 'card.use', 'a', { use: 'u2', at: AT }),
    queued(3, 'card.set', 'a', { fields: { note: 'первая', number: null } }),
    queued(4, 'card.set', 'a', { fields: { note: 'вторая' } }),
  ];
  const [card] = new CardViews().of(state([row('a', { uses: 7, number: '42' })], queue, 1));
  expect(card).toMatchObject({ uses: 8, note: 'вторая' });
  expect(card).not.toHaveProperty('number');
});

test('a second keep under one id changes nothing, the bin included', () => {
  const queue = [queued(1, 'card.keep', 'a', { card: { name: 'другое' } })];
  const [card] = new CardViews().of(state([row('a', { binned_at: AT })], queue));
  expect(card).toMatchObject({ name: 'a', binned_at: AT });
});

test('an edit of an unknown card shows nothing', () => {
  expect(new CardViews().of(state([], [queued(1, 'card.set', 'a', { fields: { note: 'x' } })]))).toEqual([]);
});

test('the latest use counts, whatever order uses come in', () => {
  const queue = [
    queued(1, 'card.use', 'a', { use: 'u1', at: '2026-11-21T12:00:00Z' }),
    queued(2, 'card.use', 'a', { use: 'u2', at: '2026-11-21T11:00:00Z' }),
  ];
  expect(new CardViews().of(state([row('a')], queue))[0]!.last_used_at).toBe('2026-11-21T12:00:00Z');
});

test('cards that did not change stay the very same objects, so their rows are not drawn anew', () => {
  const views = new CardViews();
  const [a, b] = views.of(state([row('a'), row('b')]));
  const [sameA, newB] = views.of(state([row('a'), row('b', {}, 2)]));
  expect(sameA).toBe(a);
  expect(newB).not.toBe(b);
  const [editedA] = views.of(state([row('a')], [queued(1, 'card.bin', 'a')]));
  expect(editedA).toMatchObject({ binned_at: AT });
});

test('after a restore a card that stands at an old version with another body is shown anew', () => {
  const views = new CardViews();
  views.of({ ...state([row('a', { note: 'до' })]), era: 1 });
  expect(views.of({ ...state([row('a', { note: 'после' })]), era: 2 })[0]).toMatchObject({ note: 'после' });
});

test('empty input is absent when a card is kept and clears when it is set', () => {
  const fields = { name: 'a', number: '', codes: [], favourite: false, note: 'да' };
  expect(sparse(fields)).toEqual({ name: 'a', note: 'да' });
  expect(changes(fields)).toEqual({ name: 'a', number: null, codes: null, favourite: null, note: 'да' });
  expect(changes({})).toEqual({});
});
