/** Where a person goes on after signing in at a provider's: an invitation they had opened waits for them. */

const KEY = 'karman.way-back';

/** Of all screens with a way in, only this one leads on to something else. */
const WAITS = '/join';

/** Notes what waits at this address, its token included, while the person is away from this tab's page. */
export function rememberWayBack({ pathname, hash }: Pick<Location, 'pathname' | 'hash'>): void {
  if (pathname === WAITS) sessionStorage.setItem(KEY, pathname + hash);
}

/** Where to go on, told once. */
export function takeWayBack(): string | undefined {
  const noted = sessionStorage.getItem(KEY) ?? undefined;
  sessionStorage.removeItem(KEY);
  return noted;
}
