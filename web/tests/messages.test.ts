/** Words: plural forms, dates and amounts of both languages, and a catalogue without leftovers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { en } from '../src/messages/en';
import { ago, balanceText, day, minorDigits } from '../src/messages/format';
import { ru } from '../src/messages/ru';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('amounts', () => {
  it.each([[1, '1 балл'], [2, '2 балла'], [5, '5 баллов'], [11, '11 баллов'], [21, '21 балл'], [1240, '1 240 баллов']])('%i is "%s"', (value, text) => {
    expect(plain(balanceText('ru', { value, unit: 'points' }))).toBe(text);
  });

  it('are written in the smallest unit’s place of their currency', () => {
    expect(plain(balanceText('ru', { value: 150050, unit: 'RUB' }))).toBe('1 500,50 ₽');
    expect(balanceText('en', { value: 1, unit: 'points' })).toBe('1 point');
    expect(plain(balanceText('en', { value: 500, unit: 'JPY' }))).toBe('¥500');
    expect(minorDigits('JPY')).toBe(0);
  });
});

describe('days', () => {
  const now = new Date(2026, 10, 21);

  it('leave out the present year', () => {
    expect(day('ru', '2026-11-30', now)).toBe('30 ноября');
    expect(day('en', '2027-03-01', now)).toBe('March 1, 2027');
    expect(plain(day('ru', '2027-03-01', now))).toBe('1 марта 2027 г.');
  });

  it('that passed are told in the largest unit', () => {
    const at = Date.parse('2026-11-21T10:00:00Z');
    expect(ago('ru', '2026-11-18T10:00:00Z', at)).toBe('3 дня назад');
    expect(ago('en', '2026-11-21T08:00:00Z', at)).toBe('2 hours ago');
  });
});

describe('the catalogue', () => {
  it('counts cards in Russian as Russian does', () => {
    expect(ru.account.adopt(1)).toBe('Взять 1 карту');
    expect(ru.account.adopt(3)).toBe('Взять 3 карты');
    expect(ru.account.adopt(25)).toBe('Взять 25 карт');
    expect(ru.bin.left(21)).toBe('остался 21 день');
  });

  it('has a sentence in both languages for every problem', () => {
    expect(Object.keys(en.problems).sort()).toEqual(Object.keys(ru.problems).sort());
  });

  it('shouts at nobody', () => {
    expect(sentences(ru).concat(sentences(en)).filter((sentence) => sentence.includes('!'))).toEqual([]);
  });

  it('keeps no sentence that no screen says', () => {
    const code = sources(join(import.meta.dirname, '../src')).filter((file) => !/messages\/(ru|en)\.ts$/.test(file)).map((file) => readFileSync(file, 'utf8')).join('\n');
    const unsaid = Object.entries(ru).filter(([group]) => !LOOKED_UP.has(group)).flatMap(([group, entries]) =>
      typeof entries === 'object' ? Object.keys(entries).filter((key) => !new RegExp(`\\.${key}\\b|'${key}'`).test(code)).map((key) => `${group}.${key}`) : []);
    expect(unsaid).toEqual([]);
  });
});

/** Groups whose keys come from elsewhere: problem codes, misfits, the server's reasons. */
const LOOKED_UP = new Set(['problems', 'misfit', 'reasons']);

function sentences(catalogue: object): string[] {
  return Object.values(catalogue).flatMap((value: unknown) => (typeof value === 'string' ? [value] : typeof value === 'object' ? sentences(value as object) : []));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file)).map((file) => join(folder, file));
}
