/** What a form makes of a card: only what was changed is written. */
import { describe, expect, it } from 'vitest';
import { rawOf } from '../src/codes/bytes';
import type { Card } from '../src/model';
import { amountOf, changesOf, editOf, isAnother, relinked, renumbered, retyped } from '../src/screens/edit-fields';
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

  it('keeps the shop when the name ends as it was, and takes another that was chosen', () => {
    const named: Card = { ...card, merchant: 'magnit' };
    const typed = ['Магнитт', 'Магнит '].reduce((edit, name) => ({ ...edit, shop: relinked(named, { name }) }), editOf(named));
    expect(changesOf(named, typed)).toEqual({});
    const chosen = relinked(named, { name: 'Магнит', merchant: 'magnit-kosmetik' });
    expect(changesOf(named, { ...editOf(named), shop: chosen })).toEqual({ merchant: 'magnit-kosmetik' });
  });

  it('is another one for its shop where shop, number or first code differ, not where it is only written otherwise', () => {
    const linked = { ...card, merchant: 'magnit' };
    const same = [{ number: '1-234' }, { note: 'новая' }, { codes: [...card.codes, retyped(card.codes[0]!, '9')] }];
    const others = [{ number: '12 35' }, { shop: { name: 'Лавка' } }, { codes: [retyped(card.codes[0]!, '1235')] }, { codes: [] }];
    expect([...same, ...others].map((change) => isAnother(linked, { ...editOf(linked), ...change }))).toEqual([false, false, false, true, true, true, true]);
  });

  it('gives a code typed over the bytes of its new text alone', () => {
    expect(retyped({ format: 'qr_code', text: 'é', raw: '6Q==', encoding: 'iso-8859-1', gs1: true }, 'новый')).toEqual({ format: 'qr_code', text: 'новый', raw: rawOf('новый') });
  });
});

describe('a corrected number', () => {
  const typed = (number: string, from = editOf(card), base = card) => ({ ...from, ...renumbered(base, from, number) });

  it('is what the till’s code holds from then on, however often it is typed', () => {
    const after = ['12 3', '12 35', '12 350'].reduce((now, number) => typed(number, now), editOf(card));
    expect(after.codes).toEqual([{ format: 'code_128', text: '12350', raw: rawOf('12350') }]);
  });

  it('leaves a code that holds something else', () => {
    const other: Card = { ...card, codes: [{ format: 'qr_code', text: 'ABC', raw: rawOf('ABC') }] };
    expect(typed('99', editOf(other), other).codes).toEqual(other.codes);
  });

  it('leaves a code that was changed by itself', () => {
    const codes = [{ format: 'code_128' as const, text: '777', raw: rawOf('777') }];
    expect(typed('99', { ...editOf(card), codes }).codes).toEqual(codes);
  });

  it('keeps the symbology one chose and the codes behind the first', () => {
    const [code] = card.codes as [Card['codes'][0]];
    const from = { ...editOf(card), codes: [{ ...code, format: 'itf' as const }, code] };
    expect(typed('99', from).codes).toEqual([{ format: 'itf', text: '99', raw: rawOf('99') }, code]);
  });

  it('that is emptied leaves the code as it was kept, and one put back as it was changes nothing', () => {
    const gone = typed('');
    expect(changesOf(card, gone)).toEqual({ number: null });
    expect(changesOf(card, typed('12 34', typed('5', gone)))).toEqual({});
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
