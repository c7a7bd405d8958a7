/** The service worker's life as seen from a page: a new release waits until nothing can be lost by taking it. */
import { signal } from '@preact/signals';

/** True when a newer release is downloaded and waits; `applyUpdate` switches to it by reloading the page. */
export const updateReady = signal(false);

let registration: ServiceWorkerRegistration | undefined;

/** Registers the worker. A release that was already waiting when the page opened is taken at once: nothing is open yet. */
export async function watchForUpdates(): Promise<void> {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  registration = await navigator.serviceWorker.register('/sw.js');
  if (registration.waiting && navigator.serviceWorker.controller) return applyUpdate();
  registration.addEventListener('updatefound', () => follow(registration?.installing ?? null));
}

function follow(worker: ServiceWorker | null): void {
  worker?.addEventListener('statechange', () => {
    // Without a controller this is the first install, not an update.
    if (worker.state === 'installed' && navigator.serviceWorker.controller) updateReady.value = true;
  });
}

/** Asks the server whether there is a newer release. */
export async function checkForUpdate(): Promise<void> {
  await registration?.update().catch(() => undefined);
}

/** Switches to the waiting release; unsaved input of the open screen is lost, so screens ask first. */
export function applyUpdate(): void {
  const waiting = registration?.waiting;
  if (!waiting) return;
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting.postMessage({ type: 'SKIP_WAITING' });
}
