/** Entry: mounts the screens and registers the service worker. */
import { render } from 'preact';
import { App } from './screens/app';
import { tendNotices, watchNotices } from './told-here';
import { watchForUpdates } from './update';

const root = document.getElementById('app');
if (root) render(<App />, root);
void watchForUpdates();
watchNotices();
void prepareOffline();

const IDLE_MS = 3_000;

/** Once the worker that keeps it is there and nothing else is going on, fetches what is wanted without a network. */
async function prepareOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.ready;
  await idle();
  if (!navigator.onLine) return;
  await import('./shops').then(({ knownShops }) => knownShops()).catch(() => undefined);
  await import('./programmes').then(({ programmes }) => programmes()).catch(() => undefined);
  await tendNotices().catch(() => undefined);
}

function idle(): Promise<unknown> {
  // Safari has no such callback.
  return new Promise((go) => ('requestIdleCallback' in window ? requestIdleCallback(go) : setTimeout(go, IDLE_MS)));
}
