/** Moments of the recent past and the near future, by the clocks of the place where the person is. */
import type { Language } from '../model';
import { daysUntil } from '../ends';
import { day } from './format';
import { PARTNERS } from './partners';

/** A moment as a day here, `YYYY-MM-DD`. */
function dayHere(moment: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

/** "сегодня", "вчера" or "завтра", else the date. */
export function nearDay(language: Language, date: string, now = new Date()): string {
  const days = daysUntil(date, now);
  if (Math.abs(days) > 1) return day(language, date, now);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day');
}

/** "сегодня в 14:05". */
export function moment(language: Language, at: string, now = new Date()): string {
  const then = new Date(at);
  return PARTNERS[language].at(nearDay(language, dayHere(then), now), clock(language, then));
}

/** The end of something as one says it: what ends at midnight ends on the day before. */
export function end(language: Language, at: string, now = new Date()): string {
  const last = new Date(Date.parse(at) - 1);
  const date = dayHere(last);
  if (daysUntil(date, now) > 0) return day(language, date, now);
  const isMidnight = last.getHours() === 23 && last.getMinutes() === 59;
  return isMidnight ? PARTNERS[language].today : clock(language, new Date(at));
}

function clock(language: Language, at: Date): string {
  return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}
