/** Tiles: initials anybody would write, and letters that can be read on their colour. */
import { describe, expect, it } from 'vitest';
import { colourOf, contrast, initials, inkOn, tint } from '../src/tile';

describe('initials', () => {
  it.each([
    ['Пятёрочка', 'Пя'], ['Леруа Мерлен', 'ЛМ'], ['М.Видео', 'МВ'], ['36,6', '36'], ['IKEA Family', 'IF'], ['ёлки', 'Ёл'], ['  ', '?'], ['🛒', '🛒'], ['მაგნიტი', 'მა'],
  ])('of "%s" are "%s"', (name, letters) => {
    expect(initials(name)).toBe(letters);
  });
});

describe('colours', () => {
  it('can be read whatever the shop is called', () => {
    const worst = Array.from({ length: 2000 }, (_, i) => contrast(colourOf(`shop-${i}`), '#ffffff')).reduce((a, b) => Math.min(a, b));
    expect(worst).toBeGreaterThanOrEqual(4.5);
  });

  it('are the same for the same shop, however its name is written', () => {
    expect(tint({ name: 'Магнит', merchant: 'magnit' })).toEqual(tint({ name: 'МАГНИТ', merchant: 'magnit' }));
    expect(colourOf('Ашан')).toBe(colourOf(' ашан '));
    expect(colourOf('Ашан')).not.toBe(colourOf('Магнит'));
  });

  it.each(['#ffff00', '#808080', '#000000', '#c62828'])('chosen by a person, %s still carries readable letters', (colour) => {
    expect(contrast(colour, inkOn(colour))).toBeGreaterThanOrEqual(4.5);
  });
});
