/** The service worker: keeps the app for use without a network; what else it wakes for is a file each. */
import { clientsClaim } from 'workbox-core';
import { ExpirationPlugin } from 'workbox-expiration';
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { CacheFirst, StaleWhileRevalidate } from 'workbox-strategies';
import { PROGRAMMES_CACHE, PROGRAMMES_PICTURES_CACHE } from '../caches';
import './push';
import './share';

declare const self: ServiceWorkerGlobalScope;

/** What the server alone answers, even to somebody who types its address. */
const NOT_SCREENS = [/^\/api\//, /^\/oauth\//, /^\/partner\//, /^\/problems\//, /^\/\.well-known\//];

self.addEventListener('message', (event) => {
  // A newer release takes over only when the page asks: see update.ts.
  if ((event.data as { type?: string } | null)?.type === 'SKIP_WAITING') void self.skipWaiting();
});
clientsClaim();
precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: NOT_SCREENS }));
registerRoute(
  // The country's shops, so that they are suggested without a network too.
  ({ url, sameOrigin }) => sameOrigin && url.pathname === '/api/merchants/directory',
  new StaleWhileRevalidate({ cacheName: 'karman-shops', plugins: [new ExpirationPlugin({ maxEntries: 3 })] }),
);
registerRoute(
  // Programmes that cards can be connected to, and what the shops of opened cards say of themselves.
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith('/api/programmes'),
  new StaleWhileRevalidate({ cacheName: PROGRAMMES_CACHE, plugins: [new ExpirationPlugin({ maxEntries: 100 })] }),
);
registerRoute(
  // What is under such an address never changes.
  ({ url, sameOrigin }) => sameOrigin && url.pathname.startsWith('/api/partner-pictures/'),
  new CacheFirst({ cacheName: PROGRAMMES_PICTURES_CACHE, plugins: [new ExpirationPlugin({ maxEntries: 200 })] }),
);
