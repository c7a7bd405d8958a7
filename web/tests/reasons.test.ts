/** Why a shop is named, in words: codes become sentences, and what says nothing is left out. */
import { expect, test } from 'vitest';
import { ru } from '../src/messages/ru';
import type { DraftMerchant } from '../src/model';
import { whyBelieved, whyOffered } from '../src/screens/reasons';

const RUSSIAN = { language: 'ru', words: ru } as const;
const shop = (score: number, ...reasons: DraftMerchant['reasons']): DraftMerchant => ({
  slug: 'pyaterochka', name: 'Пятёрочка', score, reasons,
});
const spaced = (text: string) => text.replaceAll('\u00a0', ' ');

test('a shop that was filled in tells all that speaks for it, and how sure that is', () => {
  const why = whyBelieved(RUSSIAN, shop(0.991, { code: 'name' }, { code: 'number-prefix', value: '7789' }, { code: 'symbology', value: 'ean_13' }));
  expect(spaced(why)).toBe('надпись на карте, номер начинается с 7789, на картах магазина тоже код EAN-13 · уверенность 99 %');
});

test('of a name in large print only the print is told', () => {
  expect(spaced(whyBelieved(RUSSIAN, shop(0.9, { code: 'name' }, { code: 'large-print' })))).toBe('крупная надпись на карте · уверенность 90 %');
});

test('a shop that is offered leaves out what is true of all of them, and figures that say nothing', () => {
  expect(spaced(whyOffered(RUSSIAN, shop(0.4, { code: 'name' }, { code: 'number-length', value: 16 })))).toBe('в номере 16 цифр · уверенность 40 %');
  expect(whyOffered(RUSSIAN, shop(0.02, { code: 'name' }))).toBe('');
});

test('reasons may be bare codes; one without words, or without what it speaks of, is not shown', () => {
  expect(whyOffered(RUSSIAN, shop(0.01, 'look-alike', 'teapot', { code: 'tea' }, 'number-prefix'))).toBe('похожая надпись на карте');
});
