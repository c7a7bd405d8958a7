/** When a new release is taken: at once where nothing can be lost by it, otherwise when the person says so. */
import { beforeEach, expect, test, vi } from 'vitest';

const reload = vi.fn();
const told = vi.fn();
let worker: EventTarget;

/** A page opened at this path while a release waits. */
async function opened(pathname: string): Promise<typeof import('../src/update')> {
  vi.stubGlobal('location', { pathname, reload });
  vi.resetModules();
  const update = await import('../src/update');
  await update.watchForUpdates(Promise.resolve());
  return update;
}

beforeEach(() => {
  vi.stubEnv('PROD', true);
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('document', new EventTarget());
  const registration = Object.assign(new EventTarget(), { waiting: { postMessage: told }, installing: null });
  worker = Object.assign(new EventTarget(), { controller: {}, register: async () => registration });
  vi.stubGlobal('navigator', { serviceWorker: worker });
  reload.mockReset();
  told.mockReset();
});

test('a release that waited is taken at once by a page opened at the wallet', async () => {
  await opened('/');
  expect(told).toHaveBeenCalledWith({ type: 'SKIP_WAITING' });
  worker.dispatchEvent(new Event('controllerchange'));
  expect(reload).toHaveBeenCalledOnce();
});

test.each(['/add', '/confirm', '/reset', '/verify', '/signed-in', '/join', '/c/1'])(
  'a page opened at %s keeps what it began with, and offers the release later', async (path) => {
    const { updateReady } = await opened(path);
    expect(told).not.toHaveBeenCalled();
    expect(updateReady.value).toBe(true);
    worker.dispatchEvent(new Event('controllerchange'));
    expect(reload).not.toHaveBeenCalled();
  },
);
