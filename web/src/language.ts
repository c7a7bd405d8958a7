/** The chosen language, remembered on the device. */
import { effect, signal, type Signal } from '@preact/signals';
import type { Language } from './model';

const KEY = 'karman-language';

export function languageSignal(): Signal<Language> {
  const language = signal<Language>(remembered() ?? (navigator.language.startsWith('ru') ? 'ru' : 'en'));
  effect(() => {
    document.documentElement.lang = language.value;
    remember(language.value);
  });
  return language;
}

// A browser told to keep nothing throws on any access: the choice then lasts as long as the page.
function remembered(): Language | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'ru' || value === 'en' ? value : undefined;
  } catch {
    return undefined;
  }
}

function remember(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    return;
  }
}
