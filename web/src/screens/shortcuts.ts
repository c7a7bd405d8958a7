/** The wallet by keyboard: `/` searches, `a` adds, any other letter jumps to its section. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';
import { letterOf } from '../alphabet';
import { go, path } from '../router';
import { scrollTo } from './letters';
import { listens } from './listens';

export function useShortcuts(active: boolean, list: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    if (!active) return undefined;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target as Element)) return;
      if (act(event, list.current)) event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [active]);
}

function typing(target: Element): boolean {
  return Boolean(target.closest?.('input, textarea, select, dialog, [role="slider"]'));
}

function act(event: KeyboardEvent, list: HTMLElement | null): boolean {
  // On a Russian layout the key with the slash types a full stop.
  if (event.key === '/' || event.code === 'Slash') return focus(document.querySelector('[data-testid="search"]'));
  if (!listens(path.value)) return false;
  if (event.key === 'a') return go('/add') ?? true;
  if (!/^[\p{L}\p{N}]$/u.test(event.key)) return false;
  return focus(scrollTo(list, letterOf(event.key))?.querySelector('a') ?? null);
}

function focus(element: HTMLElement | null): boolean {
  element?.focus({ preventScroll: true });
  return element !== null;
}
