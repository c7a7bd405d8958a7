/** The next card by a finger drawn sideways or by an arrow key, and what is meant otherwise. */
import { beforeEach, expect, test, vi } from 'vitest';
import { watchSwipes } from '../src/till/swipe';

const [right, left] = [vi.fn(), vi.fn()];
const view = Object.assign(new EventTarget(), { scale: 1 });
let dialog: object | null;
let body: EventTarget & { style: { touchAction: string } };
let page: EventTarget;

beforeEach(() => {
  [view.scale, dialog, page] = [1, null, Object.assign(new EventTarget(), { visualViewport: view })];
  body = Object.assign(new EventTarget(), { style: { touchAction: '' } });
  vi.stubGlobal('document', { querySelector: () => dialog });
  vi.stubGlobal('window', page);
  right.mockReset();
  left.mockReset();
  watchSwipes(body as unknown as HTMLElement, right, left);
});

function drag(x: number, y = 0): void {
  const finger = (clientX: number, clientY: number) => [{ clientX, clientY }];
  body.dispatchEvent(Object.assign(new Event('touchstart'), { touches: finger(200, 200) }));
  body.dispatchEvent(Object.assign(new Event('touchend'), { changedTouches: finger(200 + x, 200 + y) }));
}

function press(key: string, held = {}): void {
  page.dispatchEvent(Object.assign(new Event('keydown'), { key, ...held }));
}

function turns(): [number, number] {
  return [right.mock.calls.length, left.mock.calls.length];
}

test('a finger drawn far to a side turns to the card there, one drawn down does not', () => {
  drag(100);
  expect(turns()).toEqual([1, 0]);
  drag(-100);
  expect(turns()).toEqual([1, 1]);
  drag(100, 90);
  drag(30);
  expect(turns()).toEqual([1, 1]);
});

test('a zoomed card is moved by a finger, not changed', () => {
  view.scale = 2;
  view.dispatchEvent(new Event('resize'));
  drag(100);
  expect(turns()).toEqual([0, 0]);
  expect(body.style.touchAction).toBe('manipulation');
  view.scale = 1;
  view.dispatchEvent(new Event('resize'));
  drag(100);
  expect(turns()).toEqual([1, 0]);
  expect(body.style.touchAction).toBe('');
});

test('a card under an open menu stays', () => {
  dialog = {};
  drag(100);
  press('ArrowLeft');
  expect(turns()).toEqual([0, 0]);
});

test('arrow keys turn to the next card, but not with a key that makes them the browser’s', () => {
  press('ArrowLeft');
  press('ArrowRight');
  expect(turns()).toEqual([1, 1]);
  for (const held of ['altKey', 'ctrlKey', 'metaKey', 'shiftKey']) press('ArrowLeft', { [held]: true });
  expect(turns()).toEqual([1, 1]);
});
