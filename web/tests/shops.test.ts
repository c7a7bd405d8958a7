/** Shops found without a network. */
import { describe, expect, it } from 'vitest';
import { find, plausible } from '../src/shops';
import { fold } from '../src/fold';

const shop = (slug: string, ...names: string[]) => ({
  merchant: { slug, name: names[0] ?? slug, score: 0, categories: [] },
  names: names.map(fold),
});
const SHOPS = [
  shop('moy-magnit', 'Мой Магнит'),
  shop('pyaterochka', 'Пятёрочка', 'Pyaterochka', '5ka'),
  shop('magnit', 'Магнит', 'Magnit'),
  shop('elektromagnit', 'Электромагнит'),
];
const slugs = (typed: string, limit = 8) => find(SHOPS, typed, limit).map(({ slug }) => slug);

describe('without a network', () => {
  it('a name that begins as typed comes before a word that does, and before any other place', () => {
    expect(slugs('магн')).toEqual(['magnit', 'moy-magnit', 'elektromagnit']);
  });
  it('case, Ё and aliases do not matter', () => {
    expect(slugs('ПЯТЕР')).toEqual(['pyaterochka']);
    expect(slugs('5k')).toEqual(['pyaterochka']);
  });
  it('nothing typed or nothing like it offers nothing, and never more than asked for', () => {
    expect(slugs('  ')).toEqual([]);
    expect(slugs('лента')).toEqual([]);
    expect(slugs('магн', 1)).toEqual(['magnit']);
  });
});

describe('the server’s guesses', () => {
  const guess = (name: string, score: number) => ({ slug: `${name}-${score}`, name, score, categories: [] });
  const names = (...found: ReturnType<typeof guess>[]) => plausible(found).map(({ slug }) => slug);

  it('far below a good first one are left out, but not where the first is weak itself', () => {
    expect(names(guess('Лента', 0.9), guess('Ленор', 0.4), guess('Ле', 0.2))).toEqual(['Лента-0.9', 'Ленор-0.4']);
    expect(names(guess('Лента', 0.4), guess('Ленор', 0.1))).toEqual(['Лента-0.4', 'Ленор-0.1']);
  });
  it('name each shop once, whichever country it is of', () => {
    expect(names(guess('Spar', 0.9), guess('SPAR', 0.8), guess('Лента', 0.7))).toEqual(['Spar-0.9', 'Лента-0.7']);
  });
});
