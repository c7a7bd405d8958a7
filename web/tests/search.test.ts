/** Searching as one types: by name, number, note, group and code, whatever the case, the dots or the spaces. */
import { expect, test } from 'vitest';
import { search } from '../src/search';
import { card, EAN } from './help';

const WALLET = [
  card('Пятёрочка', { number: '7789 0012 3412 3412', note: 'скидка по выходным', codes: [EAN] }),
  card('Café Noir', { group: 'Кофейни' }),
  card('М.Видео', { number: '12-34', codes: [{ format: 'code_128', text: 'MV56', raw: btoa('MV56') }] }),
  card('Йога-клуб'),
];

function found(query: string): string[] {
  return search(WALLET, query, 'ru').map(({ name }) => name);
}

test.each([
  ['пят', ['Пятёрочка']], ['ПЯТЕРОЧКА', ['Пятёрочка']], ['пятёр', ['Пятёрочка']], ['cafe', ['Café Noir']],
  ['кофейни', ['Café Noir']], ['выходным', ['Пятёрочка']], ['7789001234', ['Пятёрочка']], ['7789 00', ['Пятёрочка']],
  ['78900 123', ['Пятёрочка']], ['4607001', ['Пятёрочка']], ['mv56', ['М.Видео']], ['1234', ['М.Видео', 'Пятёрочка']],
  ['пят 778900', ['Пятёрочка']], ['видео 34', ['М.Видео']], ['йога', ['Йога-клуб']], ['нет такой', []],
  ['345', ['Пятёрочка']],
])('%s finds %j', (query, expected) => {
  expect(found(query)).toEqual(expected);
});

test('nothing typed, or only spaces, shows every card in the given order', () => {
  expect(search(WALLET, '', 'ru')).toEqual(WALLET);
  expect(search(WALLET, '  ', 'ru')).toEqual(WALLET);
});

test('digits are not found across two numbers of one card', () => {
  const one = card('X', { number: '12', codes: [{ format: 'code_128', text: '34', raw: btoa('34') }] });
  expect(search([one], '23', 'ru')).toEqual([]);
});

test('every substring of a name finds its card, in any case and with or without its dots', () => {
  for (const one of WALLET) {
    for (let from = 0; from < one.name.length; from++) {
      for (let to = from + 1; to <= one.name.length; to++) {
        const part = one.name.slice(from, to);
        for (const query of [part, part.toUpperCase(), part.replaceAll('ё', 'е')]) {
          expect(search(WALLET, query, 'ru'), query).toContain(one);
        }
      }
    }
  }
});

test('names that begin as typed come first, then words that do, then the rest; the archive is last', () => {
  const kept = [
    card('Электромагнит'), card('Мой Магнит'), card('Магнит Косметик'), card('Магнит'),
    { ...card('Магнит старый'), archived: true }, card('Лента', { note: 'рядом с Магнитом' }),
  ];
  expect(search(kept, 'магнит', 'ru').map(({ name }) => name)).toEqual([
    'Магнит', 'Магнит Косметик', 'Мой Магнит', 'Лента', 'Электромагнит', 'Магнит старый',
  ]);
});
