/** Cards that end: how many days are left, and what a notice says of them on the lock screen. */
import { expect, test } from 'vitest';
import { daysUntil, endsSoon } from '../src/ends';
import { NOTICES } from '../src/messages/notices';
import type { Language } from '../src/model';
import { shown, type CardsEnd } from '../src/worker/notice';

const NOW = new Date(2026, 10, 22, 23, 30);

function notice(language: Language, count: number, ...cards: CardsEnd['cards'][number][]): CardsEnd {
  return { kind: 'cards-end', language, count, cards };
}

test('days are counted by the calendar here, over the change of clocks too', () => {
  expect(['2026-11-21', '2026-11-22', '2026-11-23', '2027-11-22'].map((day) => daysUntil(day, NOW))).toEqual([-1, 0, 1, 365]);
  expect(daysUntil('2026-03-30', new Date(2026, 2, 28, 0, 10))).toBe(2);
});

test('only a card whose last days have come says so', () => {
  const soon = (expires_on?: string) => endsSoon(expires_on ? { expires_on } : {}, NOW);
  expect([soon(), soon('2026-11-21'), soon('2026-11-22'), soon('2026-12-22'), soon('2026-12-23')])
    .toEqual([undefined, undefined, 0, 30, undefined]);
});

test('a notice about one card opens it, and names it only where the name was sent', () => {
  const bare = shown(notice('ru', 1, { id: 'a', ends: '2026-11-25' }), NOW);
  expect(bare).toMatchObject({ title: 'У одной из карт срок кончается через 3 дня', body: '', url: '/c/a' });
  expect(shown(notice('ru', 1, { id: 'a', ends: '2026-11-23', name: 'Магнит' }), NOW).title)
    .toBe('Магнит: срок кончается завтра');
  expect(shown(notice('en', 1, { id: 'a', ends: '2026-11-22' }), NOW).title).toBe('A card ends today');
});

test('a notice about several cards counts them and names the first few', () => {
  const cards = [{ id: 'a', ends: '2026-11-23', name: 'Магнит' }, { id: 'b', ends: '2026-11-25', name: 'Ашан' }];
  expect(shown(notice('ru', 21, ...cards), NOW)).toMatchObject({
    title: 'Скоро кончится срок 21 карты, ближайший завтра', body: 'Магнит, Ашан и ещё 19', url: '/',
  });
  expect(shown(notice('en', 2, ...cards), NOW)).toMatchObject({
    title: '2 cards end soon, the first tomorrow', body: 'Магнит, Ашан',
  });
});

test('a notice that comes twice takes its own place, and one that cannot be read is told all the same', () => {
  const one = notice('ru', 1, { id: 'a', ends: '2026-11-25' });
  expect(shown(one, NOW).tag).toBe(shown(one, NOW).tag);
  expect(shown(one, NOW).tag).not.toBe(shown(notice('ru', 1, { id: 'a', ends: '2026-12-25' }), NOW).tag);
  expect(shown(undefined, NOW)).toMatchObject({ title: 'Карман', url: '/' });
  expect(shown({ kind: 'later' } as unknown as CardsEnd, NOW).url).toBe('/');
});

test('numbers of days take the forms that Russian has for them', () => {
  const said = [0, 1, 2, 5, 11, 21].map(NOTICES.ru.left);
  expect(said).toEqual(['последний день', 'остался 1 день', 'осталось 2 дня', 'осталось 5 дней', 'осталось 11 дней', 'остался 21 день']);
});
