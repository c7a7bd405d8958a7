/** Shops found without a network. */
import { describe, expect, it } from 'vitest';
import { find, plausible, shopOf, Shops } from '../src/shops';

const shop = (slug: string, name: string, ...aliases: string[]) => shopOf(slug, name, aliases);
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

describe('without a network, and written otherwise', () => {
  it.each(['gznthjxrf', 'pyaterochka', 'пятерчка', '5ка', 'Пятёрка', 'gznthxrf', 'piaterochka'])('%s offers Пятёрочка first', (typed) => {
    expect(slugs(typed)[0]).toBe('pyaterochka');
  });
  it('what begins as typed keeps away what is only a slip away', () => {
    expect(slugs('магнит')).toEqual(['magnit', 'moy-magnit', 'elektromagnit']);
    expect(slugs('магнти')).toEqual(['magnit', 'moy-magnit']);
    expect(slugs('5кв')).toEqual([]);
  });
  it('words may come in any order', () => {
    expect(slugs('магнит мой')).toEqual(['moy-magnit']);
  });
});

describe('a shop kept on the device', () => {
  const shops = new Shops([...SHOPS, shop('mir', 'Мир'), shop('mir-2', 'Mir')], { '5ka-old': 'pyaterochka' });

  it('is known by its slug, and by one that has gone into it', () => {
    expect(shops.get('pyaterochka')).toBe(SHOPS[1]);
    expect(shops.get('5ka-old')).toBe(SHOPS[1]);
    expect(shops.get('unknown')).toBeUndefined();
  });
  it('is known by its name even where that is another one’s alias', () => {
    const both = new Shops([shop('magnit-apteka', 'Магнит Аптека', 'Магнит'), shop('magnit', 'Магнит')]);
    expect(both.named('магнит')?.slug).toBe('magnit');
  });
  it('is known by its very name in any writing, unless another bears it too', () => {
    expect(['ПЯТЕРОЧКА', 'Pyaterochka', ' 5ka'].map((name) => shops.named(name)?.slug)).toEqual(Array(3).fill('pyaterochka'));
    expect(['Пятёрочк', 'Пятёрочка на углу', 'Мир', '', '—'].map((name) => shops.named(name))).toEqual(Array(5).fill(undefined));
  });
});

describe('the server’s guesses', () => {
  const guess = (name: string, score: number) => ({ slug: `${name}-${score}`, name, score, categories: [] });
  const names = (...found: ReturnType<typeof guess>[]) => plausible(found).map(({ slug }) => slug);

  it('far below a good first one are left out, but not where the first is weak itself', () => {
    expect(names(guess('Лента', 0.9), guess('Ленор', 0.4), guess('Ле', 0.2))).toEqual(['Лента-0.9', 'Ленор-0.4']);
    expect(names(guess('Лента', 0.4), guess('Ленор', 0.1))).toEqual(['Лента-0.4', 'Ленор-0.1']);
    expect(names(guess('Пятёрочка', 0.34), guess('Sky', 0.04))).toEqual(['Пятёрочка-0.34']);
  });
  it('are none where the first is hardly one', () => {
    expect(names(guess('Moxy', 0.01), guess('Ora', 0.01))).toEqual([]);
  });
  it('name each shop once, whichever country it is of', () => {
    expect(names(guess('Spar', 0.9), guess('SPAR', 0.8), guess('Лента', 0.7))).toEqual(['Spar-0.9', 'Лента-0.7']);
  });
});
