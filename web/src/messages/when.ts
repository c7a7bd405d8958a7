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

/** The day of a moment, by the clocks here. */
export function dayOf(language: Language, moment: string): string {
  return day(language, dayHere(new Date(moment)));
}

/** "сегодня", "вчера" or "завтра", else the date, as `on` puts it into a sentence. */
export function nearDay(language: Language, date: string, on = (text: string) => text, now = new Date()): string {
  const days = daysUntil(date, now);
  if (Math.abs(days) > 1) return on(day(language, date, now));
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(days, 'day');
}

/** "сегодня в 14:05". */
export function moment(language: Language, at: string, now = new Date()): string {
  const then = new Date(at);
  return PARTNERS[language].at(nearDay(language, dayHere(then), undefined, now), clock(language, then));
}

/** Until when something is: what ends at midnight ends on the day before. */
export function until(language: Language, at: string, now = new Date()): string {
  const last = new Date(Date.parse(at) - 1);
  const date = dayHere(last);
  const said = PARTNERS[language];
  if (daysUntil(date, now) > 0) return said.until(day(language, date, now));
  const isMidnight = last.getHours() === 23 && last.getMinutes() === 59;
  return isMidnight ? said.todayOnly : said.todayUntil(clock(language, new Date(at)));
}

function clock(language: Language, at: Date): string {
  return new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at);
}

const WEEKDAYS = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'];
const A_MONDAY = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;

/** Opening hours in the language, where they are written as OpenStreetMap's `opening_hours`; else as they are. */
export function hoursIn(language: Language, hours: string): string {
  if (hours.trim() === '24/7') return PARTNERS[language].allDay;
  const name = new Intl.DateTimeFormat(language, { weekday: 'short', timeZone: 'UTC' });
  return hours.replace(/\b(?:Mo|Tu|We|Th|Fr|Sa|Su)\b/g, (short) => name.format(A_MONDAY + WEEKDAYS.indexOf(short) * DAY_MS))
    .replaceAll('-', '–');
}
