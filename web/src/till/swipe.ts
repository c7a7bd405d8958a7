/** A sideways swipe, or an arrow key. */
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

const FAR_PX = 64;
const STRAIGHT = 2;
/** Fingers that meant to scroll leave a little zoom behind. */
const ZOOMED = 1.01;

export function useSwipe(element: RefObject<HTMLElement | null>, right: () => void, left: () => void): void {
  useEffect(() => watchSwipes(element.current!, right, left));
}

/** Answers how to stop. */
export function watchSwipes(target: HTMLElement, right: () => void, left: () => void): () => void {
  let from: Touch | undefined;
  const start = ({ touches }: TouchEvent) => void (from = touches.length === 1 && isFree() ? touches[0] : undefined);
  const end = (event: TouchEvent) => {
    const to = event.changedTouches[0];
    if (!from || !to || !isFree()) return;
    const [x, y] = [to.clientX - from.clientX, to.clientY - from.clientY];
    if (Math.abs(x) > FAR_PX && Math.abs(x) > STRAIGHT * Math.abs(y)) (x > 0 ? right : left)();
  };
  const key = (event: KeyboardEvent) => {
    const isOthers = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    const busy = (event.target as Element).closest?.('input, textarea, select, [role="slider"]');
    if (isOthers || busy || hasDialog()) return;
    if (event.key === 'ArrowLeft') right();
    if (event.key === 'ArrowRight') left();
  };
  // What is zoomed is looked at piece by piece, sideways too.
  const zoom = () => void (target.style.touchAction = isZoomed() ? 'manipulation' : '');
  zoom();
  const stops = [
    listen(target, 'touchstart', start as EventListener),
    listen(target, 'touchend', end as EventListener),
    listen(window, 'keydown', key as EventListener),
    listen(window.visualViewport, 'resize', zoom),
  ];
  return () => stops.forEach((stop) => stop());
}

/** Old browsers have no visual viewport. */
function listen(target: EventTarget | null | undefined, type: string, listener: EventListener): () => void {
  target?.addEventListener(type, listener, { passive: true });
  return () => target?.removeEventListener(type, listener);
}

/** Whether a finger drawn sideways can mean the next card: not where it moves the zoomed page, nor over the menu. */
function isFree(): boolean {
  return !isZoomed() && !hasDialog();
}

function isZoomed(): boolean {
  return (window.visualViewport?.scale ?? 1) > ZOOMED;
}

function hasDialog(): boolean {
  return document.querySelector('dialog[open]') !== null;
}
