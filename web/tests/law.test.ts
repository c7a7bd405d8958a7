/** The law of sync, over random days of several devices: all end alike, and nothing acknowledged is lost or doubled. */
import { expect, test } from 'vitest';
import type { Card } from '../src/model';
import type { Browser, OpenTab } from './browser';
import { quiet, signedIn, signedUp, until } from './help';
import { Server } from './server';

const EMAIL = 'anna@example.org';

interface Device {
  readonly browser: Browser;
  tab: OpenTab;
}

interface Day {
  readonly server: Server;
  readonly devices: Device[];
  readonly random: (below: number) => number;
  readonly kept: Set<string>;
  readonly uses: Map<string, number>;
  /** The latest note a device gave a card that no other device ever touches. */
  readonly notes: Map<string, string>;
}

/** A small linear congruential generator: the same seed, the same day. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const ACTIONS: readonly ((day: Day, device: Device, index: number) => Promise<void>)[] = [
  async ({ kept, random }, { tab }) => {
    kept.add(await tab.wallet.keep({ name: `Карта ${random(1000)}` }));
  },
  async ({ random, notes }, { tab }, index) => {
    const card = anyOf(tab, random);
    if (!card) return;
    const group = `${random(1000)}`;
    await tab.wallet.set(card.id, { [`${['note', 'group', 'pin'][index]}`]: group });
    notes.set(`${card.id} ${index}`, group);
  },
  async ({ random, uses }, { tab }) => {
    const card = anyOf(tab, random);
    if (!card) return;
    await tab.wallet.use(card.id);
    uses.set(card.id, (uses.get(card.id) ?? 0) + 1);
  },
  async ({ random }, { tab }) => {
    const card = anyOf(tab, random);
    if (card) await (card.binned_at ? tab.wallet.restore(card.id) : tab.wallet.bin(card.id));
  },
  async ({ server }) => void (server.down = !server.down),
  async ({ server, random }) => void (server.loseAnswerOf = random(2) ? '/api/sync/push' : '/api/sync/pull'),
  async (_day, device) => {
    device.tab.kill();
    device.tab = await device.browser.open();
  },
  async (_day, { browser }) => browser.wake(),
  async () => new Promise((resolve) => setTimeout(resolve, 5)),
];

function anyOf({ wallet }: OpenTab, random: Day['random']): Card | undefined {
  const all = wallet.shelf.all.value;
  return all[random(all.length)];
}

async function settle({ server, devices }: Day): Promise<void> {
  server.down = false;
  server.loseAnswerOf = undefined;
  // Twice: what one device pushes last, the others pull after it.
  for (let round = 0; round < 2; round++) {
    for (const { browser, tab } of devices) {
      browser.wake();
      await quiet(tab);
    }
  }
}

function seen({ wallet }: OpenTab): Card[] {
  return [...wallet.shelf.all.value].sort((one, other) => (one.id < other.id ? -1 : 1));
}

test.each(Array.from({ length: 12 }, (_, seed) => seed))('day %i ends with one wallet on all devices', async (seed) => {
  const server = new Server();
  const devices = [await signedUp(server, EMAIL), await signedIn(server, EMAIL), await signedIn(server, EMAIL)];
  const day: Day = {
    server, devices, random: generator(20261121 + seed), kept: new Set(), uses: new Map(), notes: new Map(),
  };
  for (let step = 0; step < 60; step++) {
    const index = day.random(devices.length);
    await ACTIONS[day.random(ACTIONS.length)]!(day, devices[index]!, index);
  }
  await settle(day);
  const fresh = await signedIn(server, EMAIL);
  const truth = seen(fresh.tab);
  for (const { tab } of devices) await until(() => expect(seen(tab)).toEqual(truth));
  expect(new Set(truth.map(({ id }) => id))).toEqual(day.kept);
  for (const { id, uses } of truth) expect(uses).toBe(day.uses.get(id) ?? 0);
  for (const [place, note] of day.notes) {
    const [id, index] = place.split(' ');
    const field = (['note', 'group', 'pin'] as const)[Number(index)]!;
    expect(truth.find((card) => card.id === id)![field]).toBe(note);
  }
  for (const { tab } of [...devices, fresh]) {
    expect(tab.wallet.sync.value.refusals).toEqual([]);
    tab.kill();
  }
});
