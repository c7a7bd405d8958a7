/** Words: plural forms, dates and amounts of both languages, and a catalogue without leftovers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { en } from '../src/messages/en';
import { ago, balanceText, day, minorDigits } from '../src/messages/format';
import { HOUSEHOLDS } from '../src/messages/households';
import { LEAVING } from '../src/messages/leaving';
import { PARTNERS } from '../src/messages/partners';
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
    expect(ago('ru', '2026-11-21T09:59:30Z', at)).toBe('только что');
  });
});

describe('the catalogue', () => {
  it('counts cards in Russian as Russian does', () => {
    expect(ru.account.adopt(1)).toBe('Взять 1 карту');
    expect(ru.account.adopt(3)).toBe('Взять 3 карты');
    expect(ru.account.adopt(25)).toBe('Взять 25 карт');
    expect(ru.bin.left(21)).toBe('остался 21 день');
    expect(ru.wallet.left(9)).toBe('На устройстве ещё 9 карт без аккаунта');
    expect([ru.wallet.takeLeft(1), ru.wallet.takeLeft(5)]).toEqual(['Взять её', 'Взять их']);
    expect(ru.account.unsent(1)).toBe('1 изменение ещё не в аккаунте и пропадёт.');
    expect(ru.account.unsent(5)).toBe('5 изменений ещё не в аккаунте и пропадут.');
    expect(ru.sync.waitingMore(2)).toContain('Отправятся сами.');
    expect([1, 2, 5, 21].map((n) => LEAVING.ru.unsent(n).split(' ').at(-1))).toEqual(['попадёт.', 'попадут.', 'попадут.', 'попадёт.']);
  });

  it('speaks of 21 cards as of many, though Russian counts them like one', () => {
    const { leaveCards, leaveLast } = HOUSEHOLDS.ru;
    expect([1, 21, 31].map(ru.wallet.takeLeft)).toEqual(['Взять её', 'Взять их', 'Взять их']);
    expect(leaveCards(1)).toBe('Вы принесли сюда 1 карту. Она останется здесь, а у вас будет копия.');
    expect(leaveCards(21)).toBe('Вы принесли сюда 21 карту. Они останутся здесь, а у вас будут копии.');
    expect([1, 21].map((n) => leaveLast(n).includes('Карта вернётся'))).toEqual([true, false]);
  });

  it('has a sentence in both languages for every problem', () => {
    expect(Object.keys(en.problems).sort()).toEqual(Object.keys(ru.problems).sort());
  });

  it('has a sentence for every code the server can answer with and every one of the app’s own', () => {
    const known = [...serverCodes(), 'offline', 'storage-full', 'storage-unavailable'];
    expect(known.length).toBeGreaterThan(25);
    expect(known.filter((code) => !(code in ru.problems) || !(code in en.problems))).toEqual([]);
  });

  it('has a sentence for whatever may go wrong when a card is connected', () => {
    const own = ['attempt-gone', 'too-many-attempts', 'already-linked', 'no-programme', 'no-number', 'policy-not-offered', 'wrong-code'];
    for (const said of [PARTNERS.ru, PARTNERS.en]) expect(own.filter((code) => !(code in said.problems))).toEqual([]);
    expect(Object.keys(PARTNERS.en.problems)).toEqual(Object.keys(PARTNERS.ru.problems));
  });

  it('has words in both languages for every reason to name a shop', () => {
    expect(Object.keys(en.reasons)).toEqual(Object.keys(ru.reasons));
    const length = ru.reasons['number-length'] as (count: string) => string;
    expect(['16', '21', '13'].map(length)).toEqual(['в номере 16 цифр', 'в номере 21 цифра', 'в номере 13 цифр']);
  });

  it('shows nobody a code', () => {
    for (const said of [ru, en]) expect(said.unknownProblem('teapot')).not.toContain('teapot');
  });

  it('shouts at nobody', () => {
    expect([ru, en, PARTNERS.ru, PARTNERS.en].flatMap(sentences).filter((sentence) => sentence.includes('!'))).toEqual([]);
  });

  it('keeps no sentence that no screen says', () => {
    const code = sources(join(import.meta.dirname, '../src')).filter((file) => !/messages\/(ru|en)\.ts$/.test(file)).map((file) => readFileSync(file, 'utf8')).join('\n');
    const unsaid = Object.entries(ru).filter(([group]) => !LOOKED_UP.has(group)).flatMap(([group, entries]) =>
      typeof entries === 'object' ? Object.keys(entries).filter((key) => !new RegExp(`\\.${key}\\b|'${key}'`).test(code)).map((key) => `${group}.${key}`) : []);
    expect(unsaid).toEqual([]);
  });
});

const RAISED = /\b(?:Problem|BadRequest|Unauthorized|Forbidden|NotFound|Conflict|TooLarge|UnsupportedMedia|Unavailable|Stop)\(\s*"([a-z-]+)"|super\(\)\.__init__\("([a-z-]+)"/g;

function serverCodes(): string[] {
  const server = join(import.meta.dirname, '../../aggregator');
  // What shops are answered they read in their own logs; what devices are, of what shops send, is worded apart.
  const files = readdirSync(server, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.py') && !file.startsWith('partners/'));
  const codes = files.flatMap((file) => [...readFileSync(join(server, file), 'utf8').matchAll(RAISED)].map((one) => one[1] ?? one[2]!));
  return [...new Set([...codes, 'invalid', 'store-unavailable'])];
}

/** Groups whose keys come from elsewhere: problem codes, misfits, the server's reasons. */
const LOOKED_UP = new Set(['problems', 'misfit', 'reasons']);

function sentences(catalogue: object): string[] {
  return Object.values(catalogue).flatMap((value: unknown) => (typeof value === 'string' ? [value] : typeof value === 'object' ? sentences(value as object) : []));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.tsx?$/.test(file)).map((file) => join(folder, file));
}
