/**
 * Locks of one tab only, for pages without Web Locks (old browsers, plain http). Two tabs then push side by side, which
 * the server's receipts make harmless.
 */
import type { Locks } from './platform';

export function tabLocks(): Locks {
  const held = new Map<string, Promise<unknown>>();

  async function request<T>(name: string, options: LockOptions, work: (lock: unknown) => Promise<T>): Promise<T> {
    const before = held.get(name);
    if (before && options.ifAvailable) return work(null);
    const turn = (before ?? Promise.resolve()).then(() => {
      options.signal?.throwIfAborted();
      return work(name);
    });
    const over = turn.catch(() => undefined);
    held.set(name, over);
    void over.then(() => held.get(name) === over && held.delete(name));
    return turn;
  }

  return { request };
}
