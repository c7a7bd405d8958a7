/**
 * Addresses of screens over the History API; anything laid over a screen is an entry of its own, so that Back closes
 * it. So is a guard: Back meets it before it meets the screen.
 */
import { signal, type ReadonlySignal } from '@preact/signals';

interface Entry { readonly depth: number }
interface Overlay { readonly depth: number; readonly close: () => void }
interface Guard extends Overlay { readonly ask: Ask; readonly fallback: string }

/** Decides whether the screen may be left; `proceed` leaves it. */
export type Ask = (proceed: () => void) => void;

const current = signal(typeof location === 'undefined' ? '/' : location.pathname);

/** The path shown now. */
export const path: ReadonlySignal<string> = current;

let overlays: (Overlay | Guard)[] = [];

/**
 * Shows another screen; `replace` forgets the present one. What is laid over the present screen closes and is
 * forgotten. A guarded screen is asked first, and replaced if it lets go.
 */
export function go(to: string, { replace = false } = {}): void {
  const held = overlays.find(isGuard);
  if (held) return held.ask(() => finish(to));
  const inPlace = replace || overlays.length > 0;
  enter(depth() + (inPlace ? 0 : 1), to, inPlace);
  closeAbove(-1);
  current.value = location.pathname;
}

/** Where the person came from, or the wallet when the page was opened at this address. */
export function back(): void {
  if (depth() > 0) history.back();
  else go('/', { replace: true });
}

/** Like `back`, from something laid over the screen: both are left. `fallback` is shown where nothing was before. */
export function leave(fallback = '/'): void {
  if (hasBefore()) unwind(1, () => undefined);
  else unwind(0, () => go(fallback, { replace: true }));
}

/** Shows another screen in place of this one, whatever is laid over it: Back then leads where this one came from. */
export function finish(to: string): void {
  if (hasBefore()) unwind(1, () => void (location.pathname === to || go(to)));
  else unwind(0, () => go(to, { replace: true }));
}

/**
 * Adds a history entry for something laid over the screen; Back calls `close`. Answers what to call when it closed
 * itself.
 */
export function overlay(close: () => void): () => void {
  return lay({ depth: depth() + 1, close });
}

/**
 * From now on Back, links and `go` call `ask` instead of leaving; `leave` and `finish` do not ask. Going back past the
 * page's first entry shows `fallback`. Answers how to lift the guard.
 */
export function guard(ask: Ask, fallback = '/'): () => void {
  const held: Guard = { depth: depth() + 1, close: () => undefined, ask, fallback };
  return lay(held);
}

function lay(mine: Overlay): () => void {
  enter(mine.depth, undefined, false);
  overlays.push(mine);
  return () => {
    if (!overlays.includes(mine)) return;
    overlays = overlays.filter((other) => other !== mine);
    history.back();
  };
}

/** Follows Back, Forward and plain clicks on links of our own. Answers how to stop. */
export function follow(): () => void {
  addEventListener('popstate', onPop);
  addEventListener('click', onClick);
  return () => {
    removeEventListener('popstate', onPop);
    removeEventListener('click', onClick);
  };
}

function depth(): number {
  return (history.state as Entry | null)?.depth ?? 0;
}

function hasBefore(): boolean {
  return depth() > overlays.length;
}

/** Goes back past everything laid over the screen and `more` screens, then on. */
function unwind(more: number, then: () => void): void {
  const steps = overlays.length + more;
  closeAbove(-1);
  if (!steps) return then();
  addEventListener('popstate', then, { once: true });
  history.go(-steps);
}

function enter(to: number, url: string | undefined, replace: boolean): void {
  history[replace ? 'replaceState' : 'pushState']({ depth: to } satisfies Entry, '', url);
}

function closeAbove(limit: number): void {
  const closing = overlays.filter((one) => one.depth > limit).reverse();
  overlays = overlays.filter((one) => one.depth <= limit);
  closing.forEach((one) => one.close());
}

function isGuard(one: Overlay | Guard): one is Guard {
  return 'ask' in one;
}

/** Undoes a step back past a guard, then asks: meanwhile nothing may be pushed, or the way forward is lost. */
function hold(held: Guard): void {
  addEventListener('popstate', () => held.ask(() => retreat(held)), { once: true });
  history.go(held.depth - depth());
}

/** Takes the step back that a guard held up: closes what lies under the guard, or leaves the screen. */
function retreat(held: Guard): void {
  const under = overlays.indexOf(held);
  if (!under && held.depth <= 1) return unwind(0, () => go(held.fallback, { replace: true }));
  const steps = overlays.length - under + 1;
  closeAbove(held.depth - 1);
  history.go(-steps);
}

function onPop(): void {
  const held = overlays.filter(isGuard).find((one) => one.depth > depth());
  if (held) return hold(held);
  closeAbove(depth());
  current.value = location.pathname;
}

function onClick(event: MouseEvent): void {
  const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  if (event.defaultPrevented || event.button || elsewhere) return;
  const link = (event.target as Element).closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.origin !== location.origin || link.target) return;
  event.preventDefault();
  go(link.pathname, { replace: link.hasAttribute('data-replace') });
}
