/** Entry: mounts the screens and registers the service worker. */
import { effect } from '@preact/signals';
import { render } from 'preact';
import { keepLists } from './api';
import { country } from './country';
import { idle } from './idle';
import { follow } from './router';
import { App, begin } from './screens/app';
import { tendNotices, watchNotices } from './told-here';
import { watchForUpdates } from './update';
import { ready } from './wallet';

/** How long the page's own picture of the app may stand for a screen whose code does not come. */
const PATIENCE_MS = 2_000;

follow();
const shown = show();
void watchForUpdates(shown.then(idle));
watchNotices();
void prepareOffline();

/** Opens the store and fetches the screen's code side by side, then puts the app in the place of its picture. */
async function show(): Promise<void> {
  // In short tasks: the page's picture is painted and a finger heard in between.
  const begun = after(0).then(begin);
  await Promise.all([opened(), Promise.race([begun, after(PATIENCE_MS)])]);
  const root = document.getElementById('app');
  root?.replaceChildren();
  if (root) render(<App />, root);
}

function after(ms: number): Promise<void> {
  return new Promise((go) => setTimeout(go, ms));
}

function opened(): Promise<void> {
  return new Promise((go) => effect(() => void (ready.value && go())));
}

/** Once the worker that keeps it is there and nothing else is going on, fetches what is wanted without a network. */
async function prepareOffline(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  await navigator.serviceWorker.ready;
  await idle();
  if (!navigator.onLine) return;
  await keepLists(country());
  await tendNotices().catch(() => undefined);
}
