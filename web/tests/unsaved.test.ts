/** A form with something to lose, and what would load the page anew. */
import { beforeEach, expect, test, vi } from 'vitest';

let unsaved: typeof import('../src/unsaved');

/** Whether the browser would ask before the page goes. */
function asks(): boolean {
  const event = Object.defineProperty(new Event('beforeunload', { cancelable: true }), 'returnValue', { writable: true });
  return !dispatchEvent(event);
}

beforeEach(async () => {
  const page = new EventTarget();
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const) vi.stubGlobal(name, page[name].bind(page));
  vi.useFakeTimers();
  vi.resetModules();
  unsaved = await import('../src/unsaved');
});

test('the browser asks before a page goes on which something is typed, and only then', () => {
  expect(asks()).toBe(false);
  const release = unsaved.hold();
  expect(asks()).toBe(true);
  release();
  expect(asks()).toBe(false);
});

test('a page without anything typed is loaded anew at once', () => {
  const reload = vi.fn();
  unsaved.onceSaved(reload);
  expect(reload).toHaveBeenCalledOnce();
});

test('what is typed is kept first, in one form after the other', () => {
  const reload = vi.fn();
  const first = unsaved.hold();
  unsaved.onceSaved(reload);
  vi.runAllTimers();
  first();
  const second = unsaved.hold();
  vi.runAllTimers();
  expect(reload).not.toHaveBeenCalled();
  second();
  vi.runAllTimers();
  expect(reload).toHaveBeenCalledOnce();
});

test('a wiped page goes without asking', () => {
  unsaved.hold();
  unsaved.letGo();
  expect(asks()).toBe(false);
});
