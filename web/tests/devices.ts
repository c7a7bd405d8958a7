/**
 * Many devices in one Node process: the shipped tab, session, queue and store over IndexedDB in memory. A program that
 * tests the whole of sync drives them and carries their requests to the server, by lines of JSON:
 *
 *     in   {call, device, do, args}              out  {done: call, value | error}
 *          {answer: fetch, status, body | lost}       {fetch, device, method, url, body}
 *
 * Nothing happens by itself: no timer fires, so devices exchange when they are told to.
 */
import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { createInterface } from 'node:readline';
import type { Platform } from '../src/platform';
import { Session } from '../src/session';
import { open, STORES, type Database } from '../src/store/database';
import { CardViews, snapshot } from '../src/store/state';
import { Tab } from '../src/tab';
import { tabLocks } from '../src/tab-locks';

interface Answer {
  readonly answer: number;
  readonly status?: number;
  readonly body?: string;
  readonly lost?: true;
}

interface Call {
  readonly call: number;
  readonly device: string;
  readonly do: string;
  readonly args: readonly unknown[];
}

/** Turns of the event loop that a wipe may take. */
const WIPE_TURNS = 5_000;
const PASSWORD = 'correct horse battery';

globalThis.setTimeout = (() => 0) as unknown as typeof setTimeout;

const waiting = new Map<number, (answer: Answer) => void>();
let fetches = 0;

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function carried(device: string, url: string, init: RequestInit): Promise<Response> {
  const fetch = ++fetches;
  return new Promise((resolve, reject) => {
    waiting.set(fetch, ({ status, body, lost }) => {
      if (lost) reject(new TypeError('the network broke'));
      else resolve(new Response(status === 204 ? null : (body ?? ''), { status: status ?? 500 }));
    });
    say({ fetch, device, method: init.method ?? 'GET', url, body: init.body ?? null });
  });
}

class Device {
  private tab!: Tab;
  private session!: Session;

  constructor(private readonly name: string) {}

  /** Ends its page. */
  async stop(): Promise<void> {
    await this.tab?.engine?.stop();
    this.tab?.shelf.close();
  }

  /** Starts its page, anew if it was running. */
  async start(): Promise<void> {
    await this.stop();
    this.tab = new Tab(this.platform());
    this.session = new Session(this.tab);
    await this.session.start();
  }

  async signIn(email: string): Promise<unknown> {
    return this.session.signIn(email, PASSWORD);
  }

  keep(fields: never): Promise<string> {
    return this.tab.keep(fields);
  }

  /** Edits the card of this number among those it shows, and answers its id; null where it shows none. */
  async edit(verb: 'set' | 'use' | 'bin' | 'restore', number: number, fields: never): Promise<string | null> {
    const shown = this.tab.shelf.all.value.map(({ id }) => id).sort();
    const id = shown[number % shown.length];
    if (id === undefined) return null;
    await this.tab[verb](id, fields);
    return id;
  }

  /** Moves the card of this number into the other of the person's two spaces; null where it shows none, or one space. */
  async move(number: number): Promise<string | null> {
    const shown = [...this.tab.shelf.all.value].sort((one, other) => (one.id < other.id ? -1 : 1));
    const card = shown[number % shown.length];
    const spaces = [this.tab.shelf.owner.space, ...this.tab.shelf.households.value.map(({ id }) => id)];
    const to = spaces.find((space) => space !== card?.space);
    if (!card || !to) return null;
    await this.tab.move(card.id, to);
    return card.id;
  }

  /** Pushes and pulls once, and tells what still waits. */
  async exchange(): Promise<{ offline: boolean; signedOut: boolean; problem?: unknown; waiting: number }> {
    const report = (await this.tab.engine?.exchange()) ?? { offline: false, signedOut: true };
    return { ...report, waiting: this.tab.account.value ? await this.tab.shelf.db.count('queue') : 0 };
  }

  /** Waits until the device has wiped itself, and gives the databases that are left of it. */
  async wiped(): Promise<string[]> {
    for (let turn = 0; turn < WIPE_TURNS && this.tab.notice.value === null; turn++) await new Promise(setImmediate);
    const databases = (await indexedDB.databases()).map(({ name }) => name!);
    return databases.filter((name) => name.startsWith(`${this.name}-`));
  }

  /** All it holds. */
  async look(): Promise<object> {
    const { db } = this.tab.shelf;
    const state = await snapshot(db);
    const tombstones = (await db.getAll('tombstones')).map(({ noted: _noted, ...rest }) => rest);
    return { cards: new CardViews().of(state), shown: this.tab.shelf.all.value, ...state, tombstones };
  }

  /** Becomes a copy of another device: databases and all. */
  async copy(other: string): Promise<void> {
    for (const { name } of await indexedDB.databases()) {
      if (!name!.startsWith(`${other}-`)) continue;
      const [from, to] = [await open(name!, ignore), await open(name!.replace(other, this.name), ignore)];
      for (const store of STORES) await copyStore(from, to, store);
      from.close();
      to.close();
    }
    await this.start();
  }

  private platform(): Platform {
    return {
      databases: this.name,
      fetch: (url, init) => carried(this.name, url, init),
      locks: tabLocks(),
      tell: ignore,
      onWord: ignore,
      live: () => ({ close: ignore }),
      shrink: async (picture) => picture,
      pen: { release: '1', load: () => Promise.reject(new Error('no codes here')) },
      persist: async () => true,
      isOnline: () => true,
      onWake: ignore,
      onOffline: ignore,
      reload: ignore,
      deviceName: () => this.name,
      checkForUpdate: ignore,
    };
  }
}

async function copyStore(from: Database, to: Database, store: (typeof STORES)[number]): Promise<void> {
  const [keys, values] = await Promise.all([from.getAllKeys(store), from.getAll(store)]);
  // Stores whose values hold their key take none beside them.
  const isInline = to.transaction(store).store.keyPath !== null;
  for (const [index, value] of values.entries()) {
    await (isInline ? to.put(store, value as never) : to.put(store, value as never, keys[index] as never));
  }
}

function ignore(): void {
  // Nobody listens.
}

let devices = new Map<string, Device>();

async function obey({ device: name, do: verb, args }: Call): Promise<unknown> {
  if (verb === 'forgetAll') {
    for (const device of devices.values()) await device.stop();
    devices = new Map();
    globalThis.indexedDB = new IDBFactory();
    return null;
  }
  const device = devices.get(name) ?? new Device(name);
  devices.set(name, device);
  const verbs = device as unknown as Record<string, (...args: readonly unknown[]) => unknown>;
  return (await verbs[verb]!(...args)) ?? null;
}

for await (const line of createInterface({ input: process.stdin })) {
  const word = JSON.parse(line) as Answer | Call;
  if ('answer' in word) {
    waiting.get(word.answer)!(word);
    waiting.delete(word.answer);
  } else {
    obey(word).then(
      (value) => say({ done: word.call, value }),
      (error: unknown) => say({ done: word.call, error: error instanceof Error ? error.stack : String(error) }),
    );
  }
}
