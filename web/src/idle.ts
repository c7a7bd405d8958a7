/** What can wait for a moment without anything to do. */

/** Safari has no such callback. */
const INSTEAD_MS = 200;
/** A phone that is never done must not wait for ever. */
const PATIENCE_MS = 3_000;

export function idle(): Promise<unknown> {
  return new Promise((go) => {
    if ('requestIdleCallback' in globalThis) requestIdleCallback(go, { timeout: PATIENCE_MS });
    else setTimeout(go, INSTEAD_MS);
  });
}
