/** The service worker's life as seen from a page: a new release waits until nothing can be lost by taking it. */
import { signal } from '@preact/signals';

/** True when a newer release is here; `applyUpdate` switches to it by reloading the page. */
export const updateReady = signal(false);

/** An installed app is not navigated for days, and browsers look for a new worker on navigation only. */
const LOOK_EVERY_MS = 60 * 60 * 1000;

let registration: ServiceWorkerRegistration | undefined;
let lookedAt = Date.now();

/**
 * Registers the worker. A release that waited already when the page opened at the wallet is taken at once: nothing is
 * open yet. Other screens may have begun with what comes once only, a token in the address or shared pictures. On a
 * first visit it waits for `firstScreen`: all that the worker fetches would be in that one's way.
 */
export async function watchForUpdates(firstScreen: Promise<unknown>): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  // A part of this page's release could not be loaded: most likely it went with an update.
  window.addEventListener('vite:preloadError', () => (updateReady.value = true));
  const wasControlled = navigator.serviceWorker.controller !== null;
  if (!wasControlled) await firstScreen;
  registration = await navigator.serviceWorker.register('/sw.js');
  if (registration.waiting && wasControlled) {
    if (location.pathname === '/') return applyUpdate();
    updateReady.value = true;
  }
  registration.addEventListener('updatefound', () => follow(registration?.installing ?? null));
  // Another tab has switched: this page's older parts may be gone from the cache.
  if (wasControlled) navigator.serviceWorker.addEventListener('controllerchange', () => (updateReady.value = true));
  document.addEventListener('visibilitychange', () => void lookNowAndThen());
}

/** Asks the server whether there is a newer release. */
export async function checkForUpdate(): Promise<void> {
  lookedAt = Date.now();
  await registration?.update().catch(() => undefined);
}

/** Switches to the newer release; unsaved input of the open screen is lost, so screens ask first. */
export function applyUpdate(): void {
  const waiting = registration?.waiting;
  if (!waiting) return location.reload();
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting.postMessage({ type: 'SKIP_WAITING' });
}

function follow(worker: ServiceWorker | null): void {
  worker?.addEventListener('statechange', () => {
    // Without a controller this is the first install, not an update.
    if (worker.state === 'installed' && navigator.serviceWorker.controller) updateReady.value = true;
  });
}

async function lookNowAndThen(): Promise<void> {
  if (document.visibilityState === 'visible' && Date.now() - lookedAt > LOOK_EVERY_MS) await checkForUpdate();
}
