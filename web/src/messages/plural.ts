/**
 * Plural forms by the rules of a language (Unicode CLDR through Intl). In Russian `one` is 1, 21, 31 and so on: words
 * that mean one thing alone are not for it.
 */
import type { Language } from '../model';

type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string };

const rules = new Map<string, Intl.PluralRules>();

export function plural(language: Language, n: number, forms: Forms): string {
  return forms[rule(language, n)] ?? forms.other;
}

/** Which of a language's forms a number takes. */
export function rule(language: string, n: number): Intl.LDMLPluralRule {
  let known = rules.get(language);
  if (!known) rules.set(language, (known = new Intl.PluralRules(language)));
  return known.select(n);
}
