/** The live stream of pokes: one leader tab holds it, says when to pull, and opens it again when it breaks. */
import type { Locks } from '../platform';
import { backoff } from './backoff';

/** A poke: the space has reached this version. */
export interface Poke {
  readonly space: string;
  readonly version: number;
}

export interface Listener {
  readonly open: () => void;
  readonly poke: (poke: Poke) => void;
  /** The stream has ended and does not come back by itself. */
  readonly broken: () => void;
}

export type Live = (url: string, listener: Listener) => { close(): void };

export interface LiveWishes {
  readonly locks: Locks;
  readonly live: Live;
  readonly account: string;
  /** Called with a poke, or without one after each (re)opening: pokes may have been missed. */
  readonly onPoke: (poke?: Poke) => void;
  /** Called when the stream broke: the next pull finds out why. */
  readonly onBroken: () => void;
}

/** Waits to become the leader, then holds the stream until aborted. */
export function lead(wishes: LiveWishes, signal: AbortSignal): void {
  const term = () => hold(wishes, signal);
  wishes.locks.request(`karman-live-${wishes.account}`, { signal }, term).catch(() => undefined);
}

function hold(wishes: LiveWishes, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let stream: { close(): void } | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failures = 0;
    const listener: Listener = {
      open: () => {
        failures = 0;
        wishes.onPoke();
      },
      poke: wishes.onPoke,
      broken: () => {
        stream?.close();
        wishes.onBroken();
        timer = setTimeout(connect, backoff(failures++));
      },
    };
    function connect(): void {
      if (!signal.aborted) stream = wishes.live(`/api/sync/live?account=${wishes.account}`, listener);
    }
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      stream?.close();
      resolve();
    });
    connect();
  });
}
