/** Back and Forward over a history like a browser's: moves happen later and are told by `popstate`. */
import { beforeEach, describe, expect, it, vi } from 'vitest';

class Visits {
  entries: { url: string; state: unknown }[] = [{ url: '/', state: null }];
  at = 0;
  get state(): unknown { return this.entries[this.at]!.state; }
  get path(): string { return this.entries[this.at]!.url; }
  pushState(state: unknown, _title: string, url?: string): void {
    this.entries = [...this.entries.slice(0, this.at + 1), { url: url ?? this.path, state }];
    this.at += 1;
  }
  replaceState(state: unknown, _title: string, url?: string): void {
    this.entries[this.at] = { url: url ?? this.path, state };
  }
  back(): void { this.go(-1); }
  go(steps: number): void {
    setTimeout(() => {
      this.at = Math.max(0, this.at + steps);
      dispatchEvent(new Event('popstate'));
    });
  }
}

const later = () => new Promise((resolve) => setTimeout(resolve, 5));

let visits: Visits;
let router: typeof import('../src/router');

beforeEach(async () => {
  visits = new Visits();
  const events = new EventTarget();
  vi.stubGlobal('history', visits);
  vi.stubGlobal('location', { get pathname() { return visits.path; }, origin: 'http://localhost' });
  for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent'] as const) vi.stubGlobal(name, events[name].bind(events));
  vi.resetModules();
  router = await import('../src/router');
  router.follow();
});

describe('going back', () => {
  it('leads where one came from', async () => {
    router.go('/c/1');
    router.back();
    await later();
    expect(router.path.value).toBe('/');
  });

  it('leads to the wallet when the page was opened elsewhere', () => {
    visits.entries = [{ url: '/c/1', state: null }];
    router.back();
    expect(router.path.value).toBe('/');
    expect(visits.entries).toHaveLength(1);
  });
});

describe('something laid over a screen', () => {
  it('is closed by Back, and the screen stays', async () => {
    router.go('/c/1');
    const close = vi.fn();
    router.overlay(close);
    visits.back();
    await later();
    expect(close).toHaveBeenCalledOnce();
    expect(router.path.value).toBe('/c/1');
  });

  it('takes its entry along when it closes itself', async () => {
    router.go('/c/1');
    router.overlay(() => undefined)();
    await later();
    router.back();
    await later();
    expect(router.path.value).toBe('/');
  });

  it('closes one by one when several lie over each other', async () => {
    const [lower, upper] = [vi.fn(), vi.fn()];
    router.overlay(lower);
    router.overlay(upper);
    visits.back();
    await later();
    expect([lower.mock.calls.length, upper.mock.calls.length]).toEqual([0, 1]);
  });

  it('is not found again behind the screen it led to', async () => {
    router.go('/c/1');
    router.overlay(() => undefined);
    router.go('/c/1/edit');
    router.back();
    await later();
    expect(router.path.value).toBe('/c/1');
  });
});

describe('leaving a screen that is done', () => {
  it('leads back past what was laid over it', async () => {
    router.go('/c/1');
    const close = vi.fn();
    router.overlay(close);
    router.leave();
    expect(close).toHaveBeenCalledOnce();
    await later();
    expect(router.path.value).toBe('/');
  });

  it('puts the next one in its place, so that Back does not return to it', async () => {
    router.go('/add');
    router.overlay(() => undefined);
    router.finish('/c/new');
    await later();
    expect(router.path.value).toBe('/c/new');
    router.back();
    await later();
    expect(router.path.value).toBe('/');
  });

  it('does so too when the page was opened at it', async () => {
    visits.entries = [{ url: '/add', state: null }];
    router.overlay(() => undefined);
    router.finish('/c/new');
    await later();
    expect(visits.entries.slice(0, visits.at + 1).map((entry) => entry.url)).toEqual(['/c/new']);
  });
});

describe('a screen with something to lose', () => {
  const asked = vi.fn<(proceed: () => void) => void>();
  beforeEach(() => asked.mockReset());

  it('is not left by Back until one agrees', async () => {
    router.go('/c/1');
    router.go('/c/1/edit');
    router.guard(asked);
    visits.back();
    await later();
    await later();
    expect(asked).toHaveBeenCalledOnce();
    expect([router.path.value, visits.path]).toEqual(['/c/1/edit', '/c/1/edit']);
    asked.mock.calls[0]![0]();
    await later();
    expect(router.path.value).toBe('/c/1');
  });

  it('asks at every Back, also after one stayed', async () => {
    router.go('/add');
    router.guard(asked);
    for (const times of [1, 2]) {
      visits.back();
      await later();
      await later();
      router.overlay(() => undefined)();
      await later();
      expect(asked).toHaveBeenCalledTimes(times);
    }
    expect(router.path.value).toBe('/add');
  });

  it('is not left by a link or a key, and is not found again behind where they lead', async () => {
    router.go('/c/1');
    router.go('/c/1/edit');
    router.guard(asked);
    router.go('/c/2');
    expect(router.path.value).toBe('/c/1/edit');
    router.overlay(() => undefined);
    asked.mock.calls[0]![0]();
    await later();
    expect(router.path.value).toBe('/c/2');
    router.back();
    await later();
    expect(router.path.value).toBe('/c/1');
  });

  it('goes one step back when one agrees: to what the guard was laid over', async () => {
    router.go('/add');
    const [step, sheet] = [vi.fn(), vi.fn()];
    router.overlay(step);
    router.guard(asked);
    visits.back();
    await later();
    await later();
    router.overlay(sheet);
    asked.mock.calls[0]![0]();
    await later();
    expect([step, sheet].map((close) => close.mock.calls.length)).toEqual([1, 1]);
    expect(router.path.value).toBe('/add');
    router.back();
    await later();
    expect(router.path.value).toBe('/');
  });

  it('opened at its address leads to its fallback', async () => {
    visits.entries = [{ url: '/c/1/edit', state: null }];
    router.guard(asked, '/c/1');
    visits.back();
    await later();
    await later();
    asked.mock.calls[0]![0]();
    await later();
    expect(visits.path).toBe('/c/1');
    expect(router.path.value).toBe('/c/1');
  });

  it('that is done is left without asking', async () => {
    router.go('/c/1');
    router.go('/c/1/edit');
    router.guard(asked);
    router.leave();
    await later();
    expect(asked).not.toHaveBeenCalled();
    expect(router.path.value).toBe('/c/1');
  });
});
