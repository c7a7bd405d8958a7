/** Caches of the service worker that tell which shops somebody has cards of: they go with whoever signs out. */
export const PROGRAMMES_CACHE = 'karman-programmes';
export const PROGRAMMES_PICTURES_CACHE = 'karman-programme-pictures';

export async function forgetShops(): Promise<void> {
  if (!('caches' in globalThis)) return;
  await Promise.all([PROGRAMMES_CACHE, PROGRAMMES_PICTURES_CACHE].map((name) => caches.delete(name)));
}
