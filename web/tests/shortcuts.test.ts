/** Where letters typed outside a field act. */
import { expect, test } from 'vitest';
import { listens } from '../src/screens/listens';

test.each(['/', '/c/0190-ab_C', '/c/1/'])('letters act at %s', (at) => {
  expect(listens(at)).toBe(true);
});

test.each(['/add', '/c/1/edit', '/account', '/bin'])('letters do not act at %s, where something may be filled in', (at) => {
  expect(listens(at)).toBe(false);
});
