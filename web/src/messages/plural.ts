/**
 * Plural forms by the rules of a language (Unicode CLDR through Intl). In Russian `one` is 1, 21, 31 and so on: words
 * that mean one thing alone are not for it.
 */
import type { Language } from '../model';

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

const rules = new Map<Language, Intl.PluralRules>();

export function plural(language: Language, n: number, forms: Forms): string {
  let rule = rules.get(language);
  if (!rule) rules.set(language, (rule = new Intl.PluralRules(language)));
  return forms[rule.select(n)] ?? forms.other;
}
