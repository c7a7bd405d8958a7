/**
 * Searching as one types: by name, number, note, group and code, whatever the case, the dots, the spaces, the alphabet
 * or the keyboard layout, and with a slip of the finger.
 */
import { expect, test } from 'vitest';
import { nameKey } from '../src/near';
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

const POCKET = [
  card('Пятёрочка', { number: '7789001234123412', note: 'скидка по выходным' }),
  card('Перекрёсток', { number: '7700' }), card('Магнит'), card('Магия'), card('Лента'), card('ВкусВилл'), card('IKEA'),
  card('Спортмастер', { group: 'Спорт' }), card('Wildberries'), card("Л'Этуаль"), card('М.Видео'), card('36,6'),
];

const forgiven = (query: string): string[] => search(POCKET, query, 'ru').map(({ name }) => name);

test.each([
  ['пятерчка', 'Пятёрочка'], ['птяёрочка', 'Пятёрочка'], ['пятерка', 'Пятёрочка'], ['pyaterochka', 'Пятёрочка'],
  ['piaterochka', 'Пятёрочка'], ['gznthjxrf', 'Пятёрочка'], ['gznthxrf', 'Пятёрочка'], ['pyateroc', 'Пятёрочка'],
  ['ПЯTEPOЧKA', 'Пятёрочка'], ['магнитт', 'Магнит'], ['vfuybn', 'Магнит'], ['perekrestok', 'Перекрёсток'],
  ['перекресок', 'Перекрёсток'], ['dkusvill', 'ВкусВилл'], ['vkusvill', 'ВкусВилл'], ['вкус вил', 'ВкусВилл'],
  ['икеа', 'IKEA'], ['шлуф', 'IKEA'], ['вайлдберрис', 'Wildberries'], ['вилдберис', 'Wildberries'], ['sportmaster', 'Спортмастер'],
  ['лэтуаль', "Л'Этуаль"], ['мвидео', 'М.Видео'], ['mvideo', 'М.Видео'], ['vyhodnym', 'Пятёрочка'], ['молочный', undefined], ['столовая', undefined], ['выходнм', 'Пятёрочка'],
  ['skidka', 'Пятёрочка'], ['crblrf', 'Пятёрочка'], ['пятерчка 7789', 'Пятёрочка'],
])('%s finds %s without being written so', (query, expected) => {
  expect(forgiven(query)).toEqual(expected ? [expected] : []);
});

test('digits are found as they stand or not at all', () => {
  expect(forgiven('77890012')).toEqual(['Пятёрочка']);
  expect(forgiven('77890021')).toEqual([]);
  expect(forgiven('7790')).toEqual([]);
  expect(forgiven('пятёрочка 7790')).toEqual([]);
  expect(forgiven('36 6')).toEqual(['36,6']);
  const numbered = [card('Клуб 77001')];
  expect(search(numbered, 'клбу 77001', 'ru')).toEqual(numbered);
  expect(search(numbered, 'клуб 77002', 'ru')).toEqual([]);
  expect(search(numbered, 'клуб77002', 'ru')).toEqual([]);
});

test('short words are taken at their word, and longer ones too while a name begins with them', () => {
  expect(forgiven('лнт')).toEqual([]);
  expect(forgiven('маг')).toEqual(['Магия', 'Магнит']);
  expect(forgiven('маги')).toEqual(['Магия']);
  expect(forgiven('лнта')).toEqual(['Лента']);
});

test('forgiving matches come after those as typed, the archive after all', () => {
  const kept = [
    card('Lenta Outlet'), card('Планета Лента'), { ...card('Лента старая'), archived: true }, card('Лента'),
    card('Билет', { note: 'из Ленты' }),
  ];
  const order = (query: string) => search(kept, query, 'ru').map(({ name }) => name);
  expect(order('лент')).toEqual(['Лента', 'Планета Лента', 'Билет', 'Lenta Outlet', 'Лента старая']);
  expect(order('лннта')).toEqual(['Лента', 'Планета Лента', 'Lenta Outlet', 'Лента старая']);
  expect(search([...kept].reverse(), 'лннта', 'ru').map(({ name }) => name)).toEqual(order('лннта'));
});

test('a card is also found by other names of its shop, where they are known', () => {
  const kept = [card('Пятёрочка', { merchant: 'pyaterochka' }), card('Магнит', { merchant: 'magnit' })];
  const otherNames = (slug: string) => (slug === 'pyaterochka' ? [nameKey('5ka')] : []);
  expect(search(kept, '5ка', 'ru', otherNames)).toEqual([kept[0]]);
  expect(search(kept, '5ка', 'ru')).toEqual([]);
});

test.each(['36,6', '36.6', '366', '36 6', 'аптека 36.6'])('a name with signs is found as %s', (query) => {
  const wallet = [card('Аптека 36,6'), card('Лента')];
  expect(search(wallet, query, 'ru').map(({ name }) => name)).toEqual(['Аптека 36,6']);
});

test('what is pasted by mistake is answered, however long it is', () => {
  expect(search(WALLET, 'лента '.repeat(2_000), 'ru')).toEqual([]);
});
