/** How long to wait before asking again. */

const FIRST_MS = 1_000;
const LONGEST_MS = 120_000;

/** Milliseconds after the given number of failures; spread, so that a server coming back is not met by all at once. */
export function backoff(failures: number): number {
  const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
  return wait / 2 + (Math.random() * wait) / 2;
}
