/**
 * Addresses of screens over the History API; anything laid over a screen is an entry of its own, so that Back closes
 * it.
 */
import { signal, type ReadonlySignal } from '@preact/signals';

interface Entry { readonly depth: number }
interface Overlay { readonly depth: number; readonly close: () => void }

const current = signal(typeof location === 'undefined' ? '/' : location.pathname);

/** The path shown now. */
export const path: ReadonlySignal<string> = current;

let overlays: Overlay[] = [];

/**
 * Shows another screen; `replace` forgets the present one. What is laid over the present screen closes and is
 * forgotten.
 */
export function go(to: string, { replace = false } = {}): void {
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
  if (hasBefore()) unwind(1, () => go(to));
  else unwind(0, () => go(to, { replace: true }));
}

/**
 * Adds a history entry for something laid over the screen; Back calls `close`. Answers what to call when it closed
 * itself.
 */
export function overlay(close: () => void): () => void {
  const mine: Overlay = { depth: depth() + 1, close };
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

function onPop(): void {
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
