/** A browser for tests: one cookie jar, one set of databases, locks and a channel shared by its tabs. */
import type { Locks, Platform, Word } from '../src/platform';
import { Session } from '../src/session';
import { Tab } from '../src/tab';
import type { Jar, Server } from './server';

let count = 0;

export interface OpenTab {
  readonly wallet: Tab;
  readonly session: Session;
  readonly reloads: () => number;
  /** Which of them did not wait for what was typed. */
  readonly reloadsNow: () => number;
  /** Ends the tab as a crash would: no further call leaves it, its locks go. */
  kill(): void;
}

export class Browser {
  readonly jar: Jar = {};
  readonly databases = `test${++count}`;
  draws = 0;
  updateChecks = 0;
  private readonly locks = new WebLocks();
  private readonly listeners = new Map<object, (word: Word) => void>();
  private readonly wakers = new Map<object, (() => void)[]>();

  constructor(private readonly server: Server, private release = '1') {}

  /** Opens a tab and waits until it shows its data. */
  async open(): Promise<OpenTab> {
    const life = { alive: true, reloads: 0, reloadsNow: 0, ending: new AbortController() };
    const wallet = new Tab(this.platform(life));
    const session = new Session(wallet);
    await session.start();
    const kill = (): void => {
      life.alive = false;
      life.ending.abort();
      this.listeners.delete(life);
      this.wakers.delete(life);
      this.locks.release(life);
      void wallet.engine?.stop();
    };
    return { wallet, session, reloads: () => life.reloads, reloadsNow: () => life.reloadsNow, kill };
  }

  /** What a focus or a network that came back does. */
  wake(): void {
    for (const waker of [...this.wakers.values()].flat()) waker();
  }

  upgrade(release: string): void {
    this.release = release;
  }

  /** The databases this browser holds. */
  async stored(): Promise<string[]> {
    const all = (await indexedDB.databases()).map(({ name }) => name ?? '');
    return all.filter((name) => name.startsWith(`${this.databases}-`));
  }

  private platform(life: { alive: boolean; reloads: number; reloadsNow: number }): Platform {
    const fetch = this.server.fetchFor(this.jar);
    return {
      databases: this.databases,
      fetch: async (url, init) => {
        if (!life.alive) return new Promise(() => undefined);
        const answer = await fetch(url, init);
        return life.alive ? answer : new Promise(() => undefined);
      },
      locks: this.locks.of(life),
      tell: (word) => life.alive && this.tell(life, word),
      onWord: (listener) => this.listeners.set(life, listener),
      live: (url, listener) => this.server.liveFor(this.jar)(url, listener as never),
      shrink: async (picture) => picture,
      pen: {
        release: this.release,
        load: async () => {
          const { draw } = await import('../src/codes/draw');
          return (code) => {
            this.draws++;
            return draw(code);
          };
        },
      },
      persist: async () => true,
      isOnline: () => !this.server.down,
      onWake: (listener) => this.wakers.set(life, [...(this.wakers.get(life) ?? []), listener]),
      onOffline: () => undefined,
      reload: (when) => {
        life.reloads++;
        if (when === 'now') life.reloadsNow++;
      },
      deviceName: () => 'Chrome, Android',
      checkForUpdate: () => this.updateChecks++,
    };
  }

  private tell(from: object, word: Word): void {
    for (const [owner, listener] of this.listeners) if (owner !== from) setTimeout(() => listener(word), 0);
  }
}

interface Request {
  readonly owner: object;
  readonly shared: boolean;
  readonly start: () => void;
}

/** Web Locks over several tabs, as the standard has them: in turn, shared or exclusive. */
class WebLocks {
  private readonly queues = new Map<string, Request[]>();
  private readonly held = new Map<string, Request[]>();

  of(owner: object): Locks {
    return { request: (name, options, work) => this.request(owner, name, options, work) };
  }

  /** The owner has died: what it held or waited for is free. */
  release(owner: object): void {
    for (const requests of [...this.queues.values(), ...this.held.values()]) {
      remove(requests, (one) => one.owner === owner);
    }
    for (const name of this.queues.keys()) this.grant(name);
  }

  private request<T>(
    owner: object, name: string, options: LockOptions, work: (lock: unknown) => Promise<T>,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const queue = this.listOf(this.queues, name);
      const abort = (): void => {
        if (remove(queue, (one) => one === request)) reject(options.signal!.reason as Error);
      };
      const request: Request = {
        owner,
        shared: options.mode === 'shared',
        start: () => {
          options.signal?.removeEventListener('abort', abort);
          const over = (): void => {
            remove(this.listOf(this.held, name), (one) => one === request);
            this.grant(name);
          };
          Promise.resolve(name).then(work).then(resolve, reject).finally(over);
        },
      };
      if (options.signal?.aborted) return reject(options.signal.reason as Error);
      const isTaken = queue.length > 0 || !this.isFree(name, request);
      if (options.ifAvailable && isTaken) return void work(null).then(resolve, reject);
      options.signal?.addEventListener('abort', abort);
      queue.push(request);
      this.grant(name);
    });
  }

  private grant(name: string): void {
    const queue = this.listOf(this.queues, name);
    while (queue[0] && this.isFree(name, queue[0])) {
      const request = queue.shift()!;
      this.listOf(this.held, name).push(request);
      request.start();
    }
  }

  private isFree(name: string, request: Request): boolean {
    const held = this.listOf(this.held, name);
    return !held.length || (request.shared && held.every((one) => one.shared));
  }

  private listOf(map: Map<string, Request[]>, name: string): Request[] {
    const list = map.get(name) ?? [];
    map.set(name, list);
    return list;
  }
}

function remove(list: Request[], matches: (one: Request) => boolean): boolean {
  const before = list.length;
  list.splice(0, before, ...list.filter((one) => !matches(one)));
  return list.length < before;
}
