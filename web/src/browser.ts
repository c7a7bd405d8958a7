/** The platform a tab really runs on. */
import { deviceName } from './device-name';
import type { Locks, Platform, Word } from './platform';
import { shrink } from './shrink';
import type { Live } from './sync/live';
import { tabLocks } from './tab-locks';
import { letGo, onceSaved } from './unsaved';
import { checkForUpdate } from './update';

export function browser(): Platform {
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel('karman') : undefined;
  return {
    databases: 'karman',
    fetch: (url, init) => fetch(url, init),
    locks: navigator.locks ? (navigator.locks as unknown as Locks) : tabLocks(),
    tell: (word) => channel?.postMessage(word),
    onWord: (listener) => channel?.addEventListener('message', (event: MessageEvent<Word>) => listener(event.data)),
    live,
    shrink,
    pen: { release: __APP_VERSION__, load: async () => (await import('./codes/draw')).draw },
    persist,
    isOnline: () => navigator.onLine,
    onWake,
    onOffline: (listener) => window.addEventListener('offline', listener),
    reload,
    deviceName: () => deviceName(navigator.userAgent),
    checkForUpdate: () => void checkForUpdate(),
  };
}

const live: Live = (url, listener) => {
  const source = new EventSource(url);
  source.addEventListener('open', listener.open);
  source.addEventListener('poke', (event: MessageEvent<string>) => listener.poke(JSON.parse(event.data)));
  // Its own reconnecting gives up for good on an HTTP error and says nothing: ours does both.
  source.addEventListener('error', () => {
    source.close();
    listener.broken();
  });
  return source;
};

function reload(when: 'now' | 'saved'): void {
  if (when === 'saved') return onceSaved(() => location.reload());
  letGo();
  location.reload();
}

async function persist(): Promise<boolean> {
  return (await navigator.storage?.persist?.()) ?? false;
}

function onWake(listener: () => void): void {
  window.addEventListener('focus', listener);
  window.addEventListener('online', listener);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && listener());
}
