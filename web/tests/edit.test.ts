/** What a form makes of a card: only what was changed is written. */
import { describe, expect, it } from 'vitest';
import { rawOf } from '../src/codes/bytes';
import type { Card } from '../src/model';
import { amountOf, changesOf, editOf, retyped } from '../src/screens/edit-fields';
import { sameCard } from '../src/screens/same-card';

const card: Card = {
  id: 'a', space: 's', name: 'Магнит', number: '12 34', codes: [{ format: 'code_128', text: '1234', raw: rawOf('1234') }], favourite: true, archived: false, uses: 3,
  balance: { value: 150050, unit: 'RUB' }, note: 'скидка',
};

describe('an edited card', () => {
  it('writes nothing when nothing was changed', () => {
    expect(changesOf(card, editOf(card))).toEqual({});
  });

  it('writes only the fields that were changed, so that another device’s edits stay', () => {
    expect(changesOf(card, { ...editOf(card), note: 'новая', favourite: false })).toEqual({ note: 'новая', favourite: null });
  });

  it('clears what was emptied', () => {
    expect(changesOf(card, { ...editOf(card), number: ' ', balance: '', codes: [] })).toEqual({ number: null, balance: null, codes: null });
  });

  it('forgets the shop of the directory when another name is typed', () => {
    const named: Card = { ...card, merchant: 'magnit' };
    expect(changesOf(named, { ...editOf(named), shop: { name: 'Лавка' } })).toEqual({ name: 'Лавка', merchant: null });
  });

  it('gives a code typed over the bytes of its new text alone', () => {
    expect(retyped({ format: 'qr_code', text: 'é', raw: '6Q==', encoding: 'iso-8859-1', gs1: true }, 'новый')).toEqual({ format: 'qr_code', text: 'новый', raw: rawOf('новый') });
  });
});

describe('an amount', () => {
  it.each([['1 500,5', 'RUB', 150050], ['1500.50', 'RUB', 150050], ['1 240', 'points', 1240], ['−3', 'points', -3], ['0,1', 'USD', 10]])('%s %s is %i', (text, unit, value) => {
    expect(amountOf(text, unit)).toEqual({ value, unit });
  });

  it('that is no number is told apart from none', () => {
    expect(amountOf('много', 'RUB')).toBeNull();
    expect(amountOf('  ', 'RUB')).toBeUndefined();
  });
});

describe('a card the wallet has', () => {
  it('is known by its code, whatever it is called', () => {
    expect(sameCard([card], 'Другое', '', { format: 'code_128', text: '1234', raw: rawOf('1234') })?.id).toBe('a');
  });

  it('is known by its number and name, however they are spaced', () => {
    expect(sameCard([card], 'магнит', '1234', undefined)?.id).toBe('a');
    expect(sameCard([card], 'Ашан', '1234', undefined)).toBeUndefined();
    expect(sameCard([{ ...card, number: '' }], 'магнит', '', undefined)).toBeUndefined();
  });
});
