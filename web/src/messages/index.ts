/** The words of the chosen language, and dates, numbers and errors in it. */
import { computed } from '@preact/signals';
import { ApiProblem, Offline } from '../api';
import { StorageFull, type Balance, type Language } from '../model';
import { language } from '../wallet';
import { en } from './en';
import { plural } from './plural';
import { ru, type Catalogue } from './ru';

/** Languages a person can choose, each by its own name. */
export const LANGUAGES: Record<Language, string> = { ru: ru.account.languageName, en: en.account.languageName };

const chosen = computed<Catalogue>(() => (language.value === 'ru' ? ru : en));

/** The catalogue of the chosen language; a component that reads it renders again when the language changes. */
export function words(): Catalogue {
  return chosen.value;
}

/** `2026-11-30` as "30 ноября" in the present year, with the year otherwise. */
export function day(date: string, now = new Date()): string {
  const [year, month, dayOfMonth] = date.slice(0, 10).split('-').map(Number) as [number, number, number];
  const thisYear = year === now.getFullYear();
  return new Intl.DateTimeFormat(language.value, { day: 'numeric', month: 'long', ...(thisYear ? {} : { year: 'numeric' }) })
    .format(new Date(year, month - 1, dayOfMonth));
}

const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3_600], ['minute', 60],
];

/** A past moment (ISO 8601) as "3 дня назад". */
export function ago(moment: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000);
  const [unit, length] = STEPS.find(([, step]) => seconds >= step) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(language.value, { numeric: 'auto' }).format(-Math.floor(seconds / length), unit);
}

export function percent(share: number): string {
  return new Intl.NumberFormat(language.value, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

const POINTS = {
  ru: (n: number) => plural('ru', n, { one: 'балл', few: 'балла', many: 'баллов', other: 'балла' }),
  en: (n: number) => plural('en', n, { one: 'point', other: 'points' }),
};

/** "1 240 баллов", or money with the digits its currency has. */
export function balanceText({ value, unit }: Balance): string {
  if (unit === 'points') return `${new Intl.NumberFormat(language.value).format(value)} ${POINTS[language.value](value)}`;
  const money = new Intl.NumberFormat(language.value, { style: 'currency', currency: unit, currencyDisplay: 'narrowSymbol' });
  return money.format(value / 10 ** minorDigits(unit));
}

/** Digits after the decimal point of a currency (ISO 4217); none for points. */
export function minorDigits(unit: string): number {
  if (unit === 'points') return 0;
  return new Intl.NumberFormat('en', { style: 'currency', currency: unit }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** One sentence for anything a verb may throw. */
export function sentence(error: unknown): string {
  const { problems } = words();
  if (error instanceof Offline) return problems['offline']!;
  if (error instanceof StorageFull) return problems['full']!;
  return problemSentence(error instanceof ApiProblem ? error.code : 'error');
}

export function problemSentence(code: string): string {
  return words().problems[code] ?? words().unknownProblem(code);
}

const STARTS_WITH = /starts with (\S+)/;
const LENGTH = /(\d+) (?:digits|characters)/;

/** The server's reasons for naming a shop, in the chosen language; one it does not know stays as it came. */
export function reasonsText(reasons: readonly string[]): string {
  return [...new Set(reasons.map(reasonText))].join(', ');
}

function reasonText(reason: string): string {
  const known = words().reasons;
  const starts = STARTS_WITH.exec(reason);
  if (starts) return known.startsWith(starts[1]!);
  const length = LENGTH.exec(reason);
  if (length) return known.length(length[1]!);
  const exact = known[reason as keyof typeof known];
  return typeof exact === 'string' ? exact : reason;
}
