/** Web Push: shows what the server has to say, and opens what it speaks of. */
import { shown, type CardsEnd, type OfferNotice } from './notice';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('push', (event) => {
  const { title, url, ...options } = shown(read(event.data));
  // A push that shows nothing costs the permission.
  event.waitUntil(self.registration.showNotification(title, {
    ...options, data: { url }, icon: '/icon-192.png', badge: '/favicon.svg',
  }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open((event.notification.data as { url?: string } | null)?.url ?? '/'));
});

function read(data: PushMessageData | null): CardsEnd | OfferNotice | undefined {
  try {
    return data?.json() as CardsEnd | OfferNotice;
  } catch {
    return undefined;
  }
}

async function open(url: string): Promise<void> {
  const windows = await self.clients.matchAll({ type: 'window' });
  const here = windows[0];
  if (!here) return void (await self.clients.openWindow(url));
  await here.focus();
  here.postMessage({ type: 'open', url });
}
