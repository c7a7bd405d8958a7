/** The phone book: every card stands once, under the letter a person would look under. */
import { expect, test } from 'vitest';
import { favourites, letterOf, recent, sections, sorted } from '../src/alphabet';
import type { Language } from '../src/model';
import { card } from './help';

const LETTERS = 'АБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789«№ éöčїł漢'.split('');

function lettersOf(names: readonly string[], language: Language): string[] {
  return sections(names.map((name) => card(name)), language).map(({ letter }) => letter);
}

test.each([
  ['Ёлки', 'Е'], ['ёж', 'Е'], ['Йога', 'Й'], ['метро', 'М'], ['«Пятёрочка»', 'П'], ['  Ашан', 'А'], ['Été', 'E'],
  ['zara', 'Z'], ['7 я', '#'], ['№1', '#'], ['漢字', '#'], ['', '#'], ['(O’stin)', 'O'], ['Е\u0308лка', 'Е'],
])('%s stands under %s', (name, letter) => {
  expect(letterOf(name)).toBe(letter);
});

test('in Russian Cyrillic comes first, then Latin, then the rest; in English the other way round', () => {
  const names = ['Zara', 'Ашан', '5ka', 'Яндекс', 'Auchan', 'Ёлки', 'Жук'];
  expect(lettersOf(names, 'ru')).toEqual(['А', 'Е', 'Ж', 'Я', 'A', 'Z', '#']);
  expect(lettersOf(names, 'en')).toEqual(['A', 'Z', 'А', 'Е', 'Ж', 'Я', '#']);
});

test('inside a section names follow the language: Ё among Е, case aside, numbers by value', () => {
  const names = ['ель', 'Ёлка', 'Единый', 'Ежедневный', 'Shop 10', 'shop 9'];
  const book = sections(names.map((name) => card(name)), 'ru');
  const inOrder = (letter: string): string[] =>
    book.find((section) => section.letter === letter)!.cards.map(({ name }) => name);
  expect(inOrder('Е')).toEqual(['Единый', 'Ежедневный', 'Ёлка', 'ель']);
  expect(inOrder('S')).toEqual(['shop 9', 'Shop 10']);
});

test('whatever the names, every card stands exactly once and sections never repeat', () => {
  let seed = 20261121;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  for (let round = 0; round < 100; round++) {
    const cards = Array.from({ length: random(300) }, (_, index) => {
      const name = Array.from({ length: 1 + random(6) }, () => LETTERS[random(LETTERS.length)]).join('');
      return card(name, { id: `${index}` });
    });
    for (const language of ['ru', 'en'] as const) {
      const book = sections(cards, language);
      expect(new Set(book.flatMap((section) => section.cards)).size).toBe(cards.length);
      expect(book.flatMap((section) => section.cards)).toHaveLength(cards.length);
      expect(new Set(book.map(({ letter }) => letter)).size).toBe(book.length);
      expect(book.findIndex(({ letter }) => letter === '#')).toBeOneOf([-1, book.length - 1]);
      for (const { letter, cards: inside } of book) {
        expect(inside.every(({ name }) => letterOf(name) === letter)).toBe(true);
      }
    }
  }
});

test('two cards of one name keep their order whatever order they come in', () => {
  const [one, other] = [card('Ашан', { id: '1' }), card('Ашан', { id: '2' })];
  expect(sorted([other, one], 'ru')).toEqual([one, other]);
});

test('the recent ones are those shown at a till, the latest first, without archived and never shown ones', () => {
  const cards = [
    card('Давно', { last_used_at: '2026-01-01T10:00:00Z' }),
    card('Никогда'),
    card('Вчера', { last_used_at: '2026-11-20T10:00:00Z' }),
    card('Убрана', { last_used_at: '2026-11-21T10:00:00Z', archived: true }),
  ];
  expect(recent(cards).map(({ name }) => name)).toEqual(['Вчера', 'Давно']);
  expect(recent(cards, 1)).toHaveLength(1);
});

test('favourites follow the phone book', () => {
  const cards = [card('Zara', { favourite: true }), card('Ашан', { favourite: true }), card('Магнит')];
  expect(favourites(cards, 'ru').map(({ name }) => name)).toEqual(['Ашан', 'Zara']);
  expect(favourites(cards, 'en').map(({ name }) => name)).toEqual(['Zara', 'Ашан']);
});
