/** The present, for what ends by itself. */
import { useEffect, useState } from 'preact/hooks';

/** Timers do not reach further. */
const FURTHEST_MS = 2 ** 31 - 1;

/** The time now, anew when the moment that `next` names has come. */
export function useNow(next: (now: number) => number): number {
  const [now, setNow] = useState(Date.now());
  const wait = Math.min(next(now) - now, FURTHEST_MS);
  useEffect(() => {
    const timer = setTimeout(() => setNow(Date.now()), wait);
    // A page that slept is shown with what has ended meanwhile gone.
    const woken = () => setNow(Date.now());
    document.addEventListener('visibilitychange', woken);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', woken);
    };
  }, [now, wait]);
  return now;
}
