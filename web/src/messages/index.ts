/** The words of the chosen language, and dates, numbers and errors in it. */
import { computed } from '@preact/signals';
import { ApiProblem, Offline } from '../api';
import { StorageFull, type Balance, type Language, type Unit } from '../model';
import { language } from '../wallet';
import { en } from './en';
import * as format from './format';
import { ru, type Catalogue } from './ru';

/** Languages a person can choose, each by its own name. */
export const LANGUAGES: Record<Language, string> = { ru: ru.account.languageName, en: en.account.languageName };

const chosen = computed<Catalogue>(() => (language.value === 'ru' ? ru : en));

/** The catalogue of the chosen language; a component that reads it renders again when the language changes. */
export function words(): Catalogue {
  return chosen.value;
}

/** The chosen language and its words, for what speaks without screens. */
export const voice = () => ({ language: language.value, words: words() });
export const day = (date: string): string => format.day(language.value, date);
export const ago = (moment: string): string => format.ago(language.value, moment);
export const percent = (share: number): string => format.percent(language.value, share);
export const balanceText = (balance: Balance): string => format.balanceText(language.value, balance);
export const amount = (unit: Unit, value: number): string => format.amount(language.value, unit, value);

/** One sentence for anything a verb may throw. */
export function sentence(error: unknown): string {
  const { problems } = words();
  if (error instanceof Offline) return problems['offline']!;
  if (error instanceof StorageFull) return problems['storage-full']!;
  return problemSentence(error instanceof ApiProblem ? error.code : 'error');
}

export function problemSentence(code: string): string {
  return words().problems[code] ?? words().unknownProblem(code);
}
