/** A sideways swipe, or an arrow key. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

const FAR_PX = 64;
const STRAIGHT = 2;

export function useSwipe(element: RefObject<HTMLElement | null>, right: () => void, left: () => void): void {
  useEffect(() => {
    const target = element.current!;
    let from: Touch | undefined;
    const start = (event: TouchEvent) => void (from = event.touches.length === 1 ? event.touches[0] : undefined);
    const end = (event: TouchEvent) => {
      const to = event.changedTouches[0];
      if (!from || !to) return;
      const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
      if (Math.abs(x) > FAR_PX && Math.abs(x) > STRAIGHT * Math.abs(y)) (x > 0 ? right : left)();
    };
    const key = (event: KeyboardEvent) => {
      const busy = (event.target as Element).closest?.('input, textarea, select, [role="slider"]');
      if (busy || document.querySelector('dialog[open]')) return;
      if (event.key === 'ArrowLeft') right();
      if (event.key === 'ArrowRight') left();
    };
    target.addEventListener('touchstart', start, { passive: true });
    target.addEventListener('touchend', end, { passive: true });
    addEventListener('keydown', key);
    return () => {
      target.removeEventListener('touchstart', start);
      target.removeEventListener('touchend', end);
      removeEventListener('keydown', key);
    };
  });
}
