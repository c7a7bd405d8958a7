/** Check digits, normal forms, and what a typed number is taken for. */
import { describe, expect, it } from 'vitest';
import { isText, rawOf, rawOfBytes } from '../src/codes/bytes';
import { encodingOf, eciOf } from '../src/codes/eci';
import { checkDigit, checks, expanded, grouped, guess, looksMistyped, OFFERED, suppressed, wrong } from '../src/codes/formats';
import { elements } from '../src/codes/gs1';
import { clean, codeText, typedCode } from '../src/codes/typed';
import { FORMATS } from '../src/model';

describe('check digits', () => {
  it.each([['460700123456', '2'], ['9638507', '4'], ['03600029145', '2'], ['1234567890123', '1']])('%s is completed by %s', (digits, check) => {
    expect(checkDigit(digits)).toBe(check);
    expect(checks(digits + check)).toBe(true);
  });

  it('finds every single wrong digit', () => {
    const right = '4607001234562';
    for (let i = 0; i < right.length; i += 1) {
      const slip = right.slice(0, i) + ((Number(right[i]) + 1) % 10) + right.slice(i + 1);
      expect(checks(slip)).toBe(false);
    }
  });
});

describe('UPC-E', () => {
  it.each([['01234505', '012000003455'], ['01234531', '012300000451'], ['01234543', '012340000053'], ['01234565', '012345000065']])(
    '%s stands for %s', (short, long) => {
      expect(expanded(short)).toBe(long);
      expect(suppressed(long)).toBe(short);
      expect(suppressed(`0${long}`)).toBe(short);
    });

  it('has no short form for a number without zeros to leave out', () => {
    expect(suppressed('036000291452')).toBeUndefined();
  });
});

describe('a typed number', () => {
  it.each([
    ['4607001234562', 'ean_13'], ['036000291452', 'upc_a'], ['96385074', 'ean_8'], ['7789001234123412', 'code_128'], ['4607001234563', 'code_128'],
    ['AB-12345', 'code_128'], ['https://example.com/a/very/long/address', 'qr_code'], ['Привет', 'qr_code'],
  ])('%s is first taken for %s', (text, format) => {
    expect(guess(text)[0]).toBe(format);
  });

  it('is never offered a symbology that cannot carry it', () => {
    for (const text of ['4607001234562', '12345', 'abc', 'привет']) {
      const bytes = String.fromCharCode(...new TextEncoder().encode(text));
      expect(guess(text).every((format) => wrong(format, bytes) === undefined)).toBe(true);
    }
  });

  it('loses the gaps it is printed with, and only where it is all digits', () => {
    expect(codeText('7789 0012-3412 3412')).toBe('7789001234123412');
    expect(codeText(' AB 12 ')).toBe('AB 12');
  });

  it('becomes a code of its UTF-8 bytes', () => {
    expect(typedCode('привет')).toEqual({ format: 'qr_code', text: 'привет', raw: rawOf('привет') });
    expect(typedCode('')).toBeUndefined();
  });

  it('loses characters that cannot be seen or that turn others around', () => {
    expect(clean(' 12\u202e34\u0000\u200f ')).toBe('1234');
  });

  it('is shown in the groups it is read aloud in', () => {
    expect(grouped('7789001234123412')).toBe('7789 0012 3412 3412');
    expect(grouped('4607001234562')).toBe('4 607001 234562');
    expect(grouped('036000291452')).toBe('0 36000 29145 2');
    expect(grouped('12 34')).toBe('12 34');
    expect(grouped('IKEA-55')).toBe('IKEA-55');
  });
});

describe('what does not fit', () => {
  it.each([
    ['ean_13', '460700123456', 'length'], ['ean_13', '46070012345six', 'digits'], ['ean_8', '96385075', 'check'], ['itf', '123', 'even'], ['codabar', 'Z12', 'alphabet'],
    ['code_39', '\u00ff', 'alphabet'], ['databar_expanded', 'abc', 'alphabet'], ['code_128', '', 'empty'], ['code_128', 'x'.repeat(81), 'too-long'],
    ['databar', '01046070012345', 'check'],
  ] as const)('%s cannot carry "%s": %s', (format, text, reason) => {
    expect(wrong(format, text)).toBe(reason);
  });

  it('offers a person every symbology there is', () => {
    expect([...OFFERED].sort()).toEqual([...FORMATS].sort());
  });
});

describe('bytes', () => {
  it('are text only where typing the text again would give them', () => {
    expect(isText({ text: 'привет', raw: rawOf('привет') })).toBe(true);
    expect(isText({ text: 'é', raw: rawOfBytes(Uint8Array.of(0xe9)) })).toBe(false);
  });

  it('name the encoding they announce, and that name leads back to the designator', () => {
    const announced = new TextEncoder().encode(']Q2\\000026привет');
    expect(encodingOf(announced)).toBe('utf-8');
    expect(eciOf('UTF-8')).toBe(26);
    expect(eciOf('Shift_JIS')).toBe(20);
    expect(eciOf(undefined)).toBeUndefined();
    expect(encodingOf(new TextEncoder().encode(']Q1plain'))).toBeUndefined();
    expect(encodingOf(new TextEncoder().encode(']Q1a\\\\000026'))).toBeUndefined();
    expect(encodingOf(new TextEncoder().encode(']Q2\\000026a\\000003b'))).toBeUndefined();
  });
});

describe('GS1 element strings', () => {
  it.each([
    ['010460700123456210ABC', '(01)04607001234562(10)ABC'],
    ['010460700123456210ABC\x1d17271130', '(01)04607001234562(10)ABC(17)271130'],
    ['3103001750', '(3103)001750'],
    ['8008261122\x1d91X', '(8008)261122(91)X'],
    ['2401234', '(240)1234'],
  ])('%j is %s', (payload, expected) => {
    expect(elements(payload)).toBe(expected);
  });
});

describe('a number as long as an EAN or UPC', () => {
  it.each(['4607001234563', '123456789011', '55123450'])('%s looks mistyped', (text) => {
    expect(looksMistyped(text)).toBe(!checks(text));
    expect(looksMistyped(text)).toBe(true);
  });

  it.each(['4006381333931', '036000291452', '96385074', '04252614', '1234567', '12345678901234', 'AB345678'])('%s does not look mistyped', (text) => {
    expect(looksMistyped(text)).toBe(false);
  });
});
