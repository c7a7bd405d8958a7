/**
 * Asking the server about photos of a card: step by step, again when it is busy, and again when the network is back.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { ApiProblem, Offline } from '../api';
import type { Draft } from '../model';
import { NOTHING, type Known, type Tell } from './intake';

/** How far the server is with the photos. What it had told stays known when it fails. */
export type Asked =
  | { readonly state: 'asking'; readonly known: Known; readonly waitS?: number }
  | { readonly state: 'answered'; readonly known: Known; readonly draft: Draft }
  | { readonly state: 'failed'; readonly known: Known; readonly error: unknown };

export interface Inquiry {
  readonly now: ReadonlySignal<Asked>;
  /** Asks once more after a failure. */
  readonly again: () => void;
  /** The answer is not wanted any more. */
  readonly leave: () => void;
}

/** Reads the photos once; see `intake`. */
export type Ask = (tell: Tell, signal: AbortSignal) => Promise<Draft>;

/** A server that is busy still is asked so many times, unless it wants to be left alone for long. */
const MOST_TRIES = 5;
const LONGEST_WAIT_S = 30;
const USUAL_WAIT_S = 3;

/** Begins to ask. `whenOnline` calls back when there is a network again, and answers how to stop waiting for it. */
export function inquire(ask: Ask, whenOnline: (listener: () => void) => () => void = untilOnline): Inquiry {
  const now = signal<Asked>({ state: 'asking', known: NOTHING });
  const stop = new AbortController();
  let forget = (): void => undefined;
  const run = async (): Promise<void> => {
    forget();
    try {
      const draft = await patiently(ask, now, stop.signal);
      now.value = { state: 'answered', known: { ...draft, done: now.peek().known.done }, draft };
    } catch (error) {
      if (stop.signal.aborted) return;
      now.value = { state: 'failed', known: now.peek().known, error };
      if (error instanceof Offline) forget = whenOnline(() => again());
    }
  };
  const again = (): void => {
    if (now.peek().state !== 'failed' || stop.signal.aborted) return;
    now.value = { state: 'asking', known: now.peek().known };
    void run();
  };
  const leave = (): void => {
    forget();
    stop.abort();
  };
  void run();
  return { now, again, leave };
}

type Now = { value: Asked; peek: () => Asked };

async function patiently(ask: Ask, now: Now, stop: AbortSignal): Promise<Draft> {
  const tell: Tell = (known) => {
    if (!stop.aborted) now.value = { state: 'asking', known };
  };
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask(tell, stop);
    } catch (error) {
      const waitS = waitOf(error);
      if (waitS === undefined || tries === MOST_TRIES || stop.aborted) throw error;
      now.value = { state: 'asking', known: now.peek().known, waitS };
      await pause(waitS * 1000, stop);
    }
  }
}

/** How long to wait before asking again; undefined where that would not help. */
function waitOf(error: unknown): number | undefined {
  if (!(error instanceof ApiProblem) || error.status !== 503) return undefined;
  const seconds = error.retryAfterSeconds ?? USUAL_WAIT_S;
  return seconds <= LONGEST_WAIT_S ? seconds : undefined;
}

/** The answer, or the failure, that ends an inquiry. */
export function settled({ now }: Inquiry): Promise<Asked> {
  return until(now, ({ state }) => state !== 'asking');
}

/** The first value of a signal that holds. */
export function until<T>(now: ReadonlySignal<T>, holds: (value: T) => boolean): Promise<T> {
  return new Promise((resolve) => {
    const stop = now.subscribe((value) => {
      if (!holds(value)) return;
      resolve(value);
      queueMicrotask(() => stop());
    });
  });
}

export function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) return reject(stop.reason as Error);
    const timer = setTimeout(resolve, ms);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(stop.reason as Error);
    }, { once: true });
  });
}

function untilOnline(listener: () => void): () => void {
  addEventListener('online', listener, { once: true });
  return () => removeEventListener('online', listener);
}
