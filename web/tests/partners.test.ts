/** What is shown of shops: amounts in their own words, days, offers that come and go by themselves, outlets nearby. */
import { describe, expect, it } from 'vitest';
import type { Card, Live, Offer, Unit } from '../src/model';
import { amount } from '../src/messages/format';
import { PARTNERS } from '../src/messages/partners';
import { hoursIn, moment, until } from '../src/messages/when';
import { markPlace, nextChange, offersOn, waitingIn } from '../src/offers';
import { metresBetween, nearest, pictureAddress } from '../src/programmes';
import { textIn } from '../src/texts';
import { shown, type OfferNotice } from '../src/worker/notice';
import { card } from './help';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const STARS: Unit = { points: { ru: ['звезда', 'звезды', 'звёзд'], en: ['star', 'stars'] } };

describe('amounts of a shop', () => {
  it.each([[0, '0 звёзд'], [1, '1 звезда'], [3, '3 звезды'], [11, '11 звёзд'], [1221, '1 221 звезда'], [-2, '-2 звезды']])(
    '%i is counted in the shop’s own words', (value, text) => expect(plain(amount('ru', STARS, value))).toBe(text),
  );

  it('are counted in another language’s words by that language’s rules where there are none in one’s own', () => {
    const russian: Unit = { points: { ru: ['балл', 'балла', 'баллов'] } };
    expect([1, 2, 5].map((value) => plain(amount('en', russian, value)))).toEqual(['1 балл', '2 балла', '5 баллов']);
    expect([1, 2].map((value) => amount('ru', { points: { en: ['point', 'points'] } }, value))).toEqual(['1 point', '2 points']);
    expect(amount('en', { points: { en: ['kudos'] } }, 7)).toBe('7 kudos');
  });

  it('of money are written in the smallest unit’s place', () => {
    expect(plain(amount('ru', { money: 'RUB' }, 125050))).toBe('1 250,50 ₽');
  });

  it('that expire take the verb of their number', () => {
    expect(PARTNERS.ru.expires('100 баллов', 100, '1 декабря')).toBe('100 баллов сгорят 1 декабря');
    expect(PARTNERS.ru.expires('21 балл', 21, 'завтра')).toBe('21 балл сгорит завтра');
  });
});

describe('moments', () => {
  const now = new Date(2026, 10, 22, 18, 30);
  const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

  it('of today and yesterday are called so, by the clocks here', () => {
    expect(moment('ru', at(2026, 10, 22, 14, 5), now)).toBe('сегодня в 14:05');
    expect(moment('ru', at(2026, 10, 21, 9, 20), now)).toBe('вчера в 09:20');
    expect(moment('en', at(2026, 10, 12, 0, 5), now)).toBe('November 12 at 00:05');
  });

  it('that end something name its last day, and on that day the hour', () => {
    expect(until('ru', at(2026, 11, 1, 0, 0), now)).toBe('до 30 ноября');
    expect(until('ru', at(2026, 10, 30, 18, 0), now)).toBe('до 30 ноября');
    expect(until('ru', at(2026, 10, 23, 0, 0), now)).toBe('только сегодня');
    expect(until('ru', at(2026, 10, 22, 21, 0), now)).toBe('сегодня до 21:00');
  });
});

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-22T12:00:00Z');

function offer(id: string, days: number, starts = -1): Offer {
  const when = (shift: number) => new Date(NOW + shift * DAY).toISOString();
  return { id, title: { ru: id }, starts_at: when(starts), ends_at: when(days), why: 'all' };
}

function linked(id: string, slug: string, ...offers: Offer[]): Card {
  const live: Live = { slug, link: id, policy: 'open', since: '2026-11-01T00:00:00Z', unit: STARS, offers };
  return { ...card(id), live };
}

describe('offers', () => {
  const ids = (cards: Card[], muted: string[] = [], now = NOW) => offersOn(cards, muted, now).map((one) => one.offer.id);

  it('are shown the soonest to end first, while they are on and their shop is not muted', () => {
    const cards = [linked('a', 'lenta', offer('later', 9), offer('over', -1, -3), offer('to come', 9, 2)), linked('b', 'magnit', offer('soon', 1))];
    expect(ids(cards)).toEqual(['soon', 'later']);
    expect(ids(cards, ['magnit'])).toEqual(['later']);
    expect(ids(cards, [], NOW + 3 * DAY)).toEqual(['later', 'to come']);
    expect(nextChange(cards, NOW)).toBe(NOW + DAY);
    expect(nextChange([], NOW)).toBe(Infinity);
  });

  it('of a shop with two cards are shown once, and equal ids of two shops are two offers', () => {
    expect(ids([linked('a', 'lenta', offer('x', 1)), linked('b', 'lenta', offer('x', 1)), linked('c', 'magnit', offer('x', 2))])).toEqual(['x', 'x']);
  });

  it('are told of to the server once for each thing done, as long as they are there', () => {
    const cards = [linked('a', 'lenta', offer('x', 1))];
    const marks = { 'lenta/x': { seen: 'told', used: 'waiting' }, 'lenta/gone': { seen: 'waiting' } } as const;
    expect(waitingIn(marks, cards)).toEqual([{ place: 'lenta/x', space: 'guest', card: 'a', offer: 'x', kind: 'used' }]);
    expect(markPlace('lenta', offer('x', 1))).toBe('lenta/x');
  });
});

describe('a shop', () => {
  it('is spoken of in the person’s language, else in English, else in any', () => {
    expect(textIn('ru', { ru: 'а', en: 'b' })).toBe('а');
    expect(textIn('ru', { kk: 'в', en: 'b' })).toBe('b');
    expect(textIn('ru', { kk: 'в' })).toBe('в');
    expect([textIn('en', null), textIn('en', 'ул. Мира, 1')]).toEqual(['', 'ул. Мира, 1']);
  });

  it('has its outlets sorted by how far they are, those without a place last', () => {
    const outlets = [{ id: '1', name: 'без места' }, { id: '2', name: 'далеко', lat: 59.94, lon: 30.31 }, { id: '3', name: 'рядом', lat: 55.76, lon: 37.62 }];
    const here = { lat: 55.7558, lon: 37.6173 };
    expect(nearest(outlets, here).map(({ outlet }) => outlet.id)).toEqual(['3', '2', '1']);
    expect(nearest(outlets, undefined).map(({ outlet }) => outlet.id)).toEqual(['1', '2', '3']);
    expect(Math.round(metresBetween(here, { lat: 59.9343, lon: 30.3351 }) / 1000)).toBe(633);
  });

  it('has its hours in the person’s language where they can be read', () => {
    expect(hoursIn('ru', 'Mo-Fr 08:00-22:00; Su off')).toBe('пн–пт 08:00–22:00; вс off');
    expect(hoursIn('en', '24/7')).toBe('day and night');
    expect(hoursIn('ru', 'по звонку')).toBe('по звонку');
  });

  it('has its pictures with us alone', () => {
    expect(pictureAddress('019f')).toBe('/api/partner-pictures/019f');
    expect(pictureAddress('/api/partner-pictures/019f')).toBe('/api/partner-pictures/019f');
  });
});

describe('a notice of an offer', () => {
  const bare: OfferNotice = { kind: 'offer', language: 'ru', space: 's', card: 'c', offer: 'x' };

  it('opens the card, says why it came, and names shop and offer only where they were sent', () => {
    expect(shown(bare)).toMatchObject({ title: 'Новое предложение по одной из ваших карт', url: '/c/c', tag: 'offer-c-x' });
    expect(shown({ ...bare, name: 'Лента', title: '−10 % на кофе' }).title).toBe('Лента: −10 % на кофе');
    expect(shown({ ...bare, language: 'en', name: 'Tesco' }).title).toBe('Tesco: a new offer');
    expect(shown(bare).body).toContain('Вы просили');
    expect(shown({ ...bare, why: 'number' }).body).toContain('выбрал вашу карту');
  });
});
