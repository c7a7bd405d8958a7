/** Structures of drawn symbols that the standards fix and that need no reader to check. */
import { describe, expect, it } from 'vitest';
import { rawOf, rawOfBytes } from '../src/codes/bytes';
import { draw } from '../src/codes/draw';
import { OFFERED } from '../src/codes/formats';
import type { Code, Drawn, Format } from '../src/model';

const code = (format: Format, text: string, more: Partial<Code> = {}): Code => ({ format, text, raw: rawOf(text), ...more });
const drawn = (format: Format, text: string, more: Partial<Code> = {}) => draw(code(format, text, more));
const bars = async (format: Format, text: string, more: Partial<Code> = {}) => (await drawn(format, text, more)).rows[0]!;

const SAMPLES: Record<Format, string> = {
  ean_13: '4607001234562', ean_8: '96385074', upc_a: '036000291452', upc_e: '01234565', code_128: 'Karman 1', code_39: 'KARMAN-1', code_93: 'Karman',
  codabar: 'A1234B', itf: '04607001234562', qr_code: 'Karman', pdf417: 'Karman', aztec: 'Karman', data_matrix: 'Karman', databar: '0104607001234562',
  databar_expanded: '010460700123456210ABC',
};

describe('every symbology', () => {
  it.each(OFFERED)('%s is drawn as rows of its own width, without a quiet zone', async (format) => {
    const { kind, width, height, rows } = await drawn(format, SAMPLES[format]);
    expect(rows).toHaveLength(height);
    expect(rows.every((row) => row.length === width && /^[01]+$/.test(row))).toBe(true);
    expect(rows.some((row) => row.startsWith('1')) && (format.startsWith('databar') || rows.some((row) => row.endsWith('1')))).toBe(true);
    if (kind === 'linear') expect(height).toBe(1);
  });
});

describe('EAN and UPC', () => {
  it.each([['ean_13', 95], ['ean_8', 67], ['upc_a', 95], ['upc_e', 51]] as const)('%s has %i modules between its guards', async (format, modules) => {
    const row = await bars(format, SAMPLES[format]);
    expect(row).toHaveLength(modules);
    expect(row.startsWith('101') && row.endsWith('101')).toBe(true);
  });

  it('draws UPC-A as the EAN-13 with a leading zero', async () => {
    expect(await bars('upc_a', '036000291452')).toBe(await bars('ean_13', '0036000291452'));
    expect(await bars('upc_a', '0036000291452')).toBe(await bars('upc_a', '036000291452'));
  });

  it('draws UPC-E from its eight digits and from the number they stand for', async () => {
    expect(await bars('upc_e', '0012345000065')).toBe(await bars('upc_e', '01234565'));
  });

  it('encodes the digits of EAN-8 as the standard tables do', async () => {
    // ISO/IEC 15420: 9638 of number set A, 5074 of number set C.
    expect(await bars('ean_8', '96385074')).toBe(`101${'0001011' + '0101111' + '0111101' + '0110111'}01010${'1001110' + '1110010' + '1000100' + '1011100'}101`);
  });

  it('refuses a number whose check digit is wrong rather than drawing another number', async () => {
    await expect(drawn('ean_13', '4607001234563')).rejects.toMatchObject({ reason: 'check' });
  });
});

describe('linear codes', () => {
  it('draws Code 128 with eleven modules per character and thirteen for the stop', async () => {
    const row = await bars('code_128', 'ABCabc');
    expect(row).toHaveLength(11 * 8 + 13);
    expect(row.endsWith('1100011101011')).toBe(true);
  });

  it('puts FNC1 after the start of a GS1-128 code and nowhere in a plain one', async () => {
    const FNC1 = '11110101110';
    const [plain, marked] = [await bars('code_128', '10ABC'), await bars('code_128', '10ABC', { gs1: true })];
    expect(marked.slice(11, 22)).toBe(FNC1);
    expect(plain.slice(11, 22)).not.toBe(FNC1);
  });

  it('draws Code 39 between two asterisks, with wide elements three modules wide', async () => {
    const row = await bars('code_39', 'AB');
    const asterisk = '100010111011101';
    expect(row).toBe(`${asterisk}0${'111010100010111'}0${'101110100010111'}0${asterisk}`);
  });

  it('gives Codabar without start and stop letters the letter A on both sides', async () => {
    expect(await bars('codabar', '1234')).toBe(await bars('codabar', 'A1234A'));
  });

  it('refuses an odd number of digits in ITF instead of adding one', async () => {
    await expect(drawn('itf', '12345')).rejects.toMatchObject({ reason: 'even' });
  });

  it('draws DataBar alike with and without its application identifier', async () => {
    expect(await bars('databar', '04607001234562')).toBe(await bars('databar', '0104607001234562'));
    expect(await bars('databar', '04607001234562')).toHaveLength(95);
  });
});

const FINDER = ['1111111', '1000001', '1011101', '1011101', '1011101', '1000001', '1111111'];
const corner = ({ rows }: Drawn, x: number, y: number) => rows.slice(y, y + 7).map((row) => row.slice(x, x + 7));

describe('matrix codes', () => {
  it('draws QR of version 1 as 21 modules with three finder patterns', async () => {
    const symbol = await drawn('qr_code', '12345');
    expect([symbol.width, symbol.height]).toEqual([21, 21]);
    for (const [x, y] of [[0, 0], [14, 0], [0, 14]] as const) expect(corner(symbol, x, y)).toEqual(FINDER);
  });

  it('announces an encoding only where the code carried one', async () => {
    const plain = await drawn('qr_code', 'привет');
    const announced = await drawn('qr_code', 'привет', { encoding: 'UTF-8' });
    expect(announced.rows).not.toEqual(plain.rows);
  });

  it('draws Data Matrix with its solid and its broken edges', async () => {
    const { rows, width, height } = await drawn('data_matrix', '123456');
    expect([width, height]).toEqual([10, 10]);
    expect(rows.map((row) => row[0]).join('')).toBe('1111111111');
    expect(rows.at(-1)).toBe('1111111111');
    expect(rows[0]).toBe('1010101010');
  });

  it('draws Aztec around its bull’s eye', async () => {
    const { rows, width } = await drawn('aztec', '12345');
    const middle = (width - 1) / 2;
    expect(rows[middle]!.slice(middle - 4, middle + 5)).toBe('101010101');
  });

  it('starts and stops every row of PDF417 as the standard says, rows three modules high', async () => {
    const { rows, height } = await drawn('pdf417', 'Karman');
    expect(height % 3).toBe(0);
    expect(rows.every((row) => row.startsWith('11111111010101000') && row.endsWith('111111101000101001'))).toBe(true);
    expect(rows[0]).toBe(rows[2]);
  });

  it.each(['qr_code', 'pdf417', 'aztec', 'data_matrix', 'code_128'] as const)('%s carries bytes that are no text', async (format) => {
    const raw = rawOfBytes(Uint8Array.from({ length: 60 }, (_, i) => (i * 89 + 7) % 256));
    expect((await draw({ format, text: '', raw })).rows[0]!.length).toBeGreaterThan(20);
  });

  it('refuses more bytes than the largest symbol holds', async () => {
    await expect(draw({ format: 'qr_code', text: '', raw: rawOf('x'.repeat(3000)) })).rejects.toMatchObject({ reason: 'too-long' });
  });
});
