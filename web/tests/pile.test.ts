/** Photos shared together: each has its turn, and none is lost by what befalls another. */
import { expect, test } from 'vitest';
import { drawn, NO_PILE, pileOf, placeIn, rest } from '../src/screens/pile';

const photos = [1, 2, 3].map((n) => new Blob([`photo ${n}`]));

test('every photo of a pile has its turn once, in order', () => {
  const seen = [];
  for (let { file, pile } = drawn(pileOf(photos)); file; { file, pile } = drawn(pile)) seen.push([file, placeIn(pile)]);
  expect(seen).toEqual(photos.map((photo, index) => [photo, { n: index + 1, all: 3 }]));
});

test('the ones behind a photo that was let go wait, and then count anew', () => {
  const waiting = rest(drawn(pileOf(photos)).pile);
  expect([waiting.left, placeIn(waiting)]).toEqual([photos.slice(1), undefined]);
  expect(placeIn(drawn(waiting).pile)).toEqual({ n: 1, all: 2 });
});

test('one photo alone is no pile, and behind the last nothing waits', () => {
  expect(placeIn(drawn(pileOf(photos.slice(1, 2))).pile)).toBeUndefined();
  expect(rest(drawn(pileOf(photos.slice(1, 2))).pile)).toEqual(NO_PILE);
});
