/** How long cards are still good for, by the calendar of the place where the person is. */

/** From so many days before its last one a card says that it ends. */
export const SOON_DAYS = 30;

const DAY_MS = 86_400_000;

/** Whole days from today until `day` (`YYYY-MM-DD`); negative when it has passed. */
export function daysUntil(day: string, now = new Date()): number {
  const [year, month, dayOfMonth] = day.split('-').map(Number) as [number, number, number];
  // As UTC both, so that no day is an hour short.
  const today = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate());
  return Math.round((Date.UTC(year, month - 1, dayOfMonth) - today) / DAY_MS);
}

/** The days left of a card that ends soon; undefined for any other, and for one that has ended. */
export function endsSoon(card: { readonly expires_on?: string }, now = new Date()): number | undefined {
  const days = card.expires_on ? daysUntil(card.expires_on, now) : NaN;
  return days >= 0 && days <= SOON_DAYS ? days : undefined;
}
