/** Dates, numbers and amounts as a language writes them. */
import type { Balance, Language, Unit } from '../model';
import { rule } from './plural';

/** `2026-11-30` as "30 ноября" in the present year, with the year otherwise. */
export function day(language: Language, date: string, now = new Date()): string {
  const [year, month, dayOfMonth] = date.slice(0, 10).split('-').map(Number) as [number, number, number];
  const thisYear = year === now.getFullYear();
  return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', ...(thisYear ? {} : { year: 'numeric' }) })
    .format(new Date(year, month - 1, dayOfMonth));
}

const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3_600], ['minute', 60],
];

const JUST_NOW: Readonly<Record<Language, string>> = { ru: 'только что', en: 'just now' };

/** A past moment (ISO 8601) as "3 дня назад"; within a minute it is "только что". */
export function ago(language: Language, moment: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000);
  const step = STEPS.find(([, length]) => seconds >= length);
  if (!step) return JUST_NOW[language];
  const [unit, length] = step;
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(-Math.floor(seconds / length), unit);
}

export function percent(language: Language, share: number): string {
  return new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 }).format(share);
}

const POINTS: Unit = { points: { ru: ['балл', 'балла', 'баллов'], en: ['point', 'points'] } };

/** "1 240 баллов", or money with the digits its currency has. */
export function balanceText(language: Language, { value, unit }: Balance): string {
  return amount(language, unit === 'points' ? POINTS : { money: unit }, value);
}

/** Where a language's plural forms stand in a shop's list of them. */
const FORMS: Partial<Record<Intl.LDMLPluralRule, number>> = { one: 0, few: 1, many: 2, other: 1 };

/** So much of what a shop counts in. */
export function amount(language: Language, unit: Unit, value: number): string {
  if ('points' in unit) {
    // A shop may have named its points in another language only.
    const [spoken, forms] = Object.entries(unit.points).sort(([one]) => (one === language ? -1 : 1))[0] ?? [language, []];
    const form = forms[FORMS[rule(spoken, value)] ?? 1] ?? forms.at(-1) ?? '';
    return `${new Intl.NumberFormat(language).format(value)} ${form}`.trimEnd();
  }
  const style = { style: 'currency', currency: unit.money, currencyDisplay: 'narrowSymbol' } as const;
  return new Intl.NumberFormat(language, style).format(value / 10 ** minorDigits(unit.money));
}

/** Digits after the decimal point of a currency (ISO 4217); none for points. */
export function minorDigits(unit: string): number {
  if (unit === 'points') return 0;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: unit });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}
