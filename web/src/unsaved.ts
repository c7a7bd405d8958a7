/** What is typed and not kept yet: as long as there is any, the page is neither left nor loaded anew without asking. */
import { useEffect } from 'preact/hooks';

/** Saving leads on to another screen, or one form gives way to the next: the page is loaded anew after that only. */
const SETTLED_MS = 500;

let forms = 0;
let waiting: (() => void) | undefined;

/** While `dirty`, the browser asks before the page goes. */
export function useUnsaved(dirty: boolean): void {
  useEffect(() => (dirty ? hold() : undefined), [dirty]);
}

/** From now on there is something to lose. Answers what to call when there is not. */
export function hold(): () => void {
  // Only while it is wanted: pages that listen are not kept for Back by browsers.
  if (!forms++) addEventListener('beforeunload', ask);
  return () => {
    if (--forms) return;
    removeEventListener('beforeunload', ask);
    setTimeout(goOn, SETTLED_MS);
  };
}

/** Calls once nothing typed is lost by it: now, or when all is kept or let go. */
export function onceSaved(then: () => void): void {
  waiting = then;
  goOn();
}

/** From now on the page may go whatever is typed. */
export function letGo(): void {
  removeEventListener('beforeunload', ask);
}

function goOn(): void {
  if (!forms) waiting?.();
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
  // Browsers of before 2023 go by this alone.
  event.returnValue = true;
}
