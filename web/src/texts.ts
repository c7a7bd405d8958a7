/** Texts of shops, in the language of the person or else in any that there is. */
import type { Language, Texts } from './model';

/** Empty where the shop has said nothing. */
export function textIn(language: Language, text: Texts | string | null | undefined): string {
  if (!text || typeof text === 'string') return text ?? '';
  return text[language] ?? text['en'] ?? Object.values(text)[0] ?? '';
}
