/** How a drawn code is laid on a page: whole modules, quiet zones, turned only where that helps. */
import { describe, expect, it } from 'vitest';
import { fitted } from '../src/codes/barcode';
import { path, quietZone, svg, turned } from '../src/codes/svg';
import type { Drawn } from '../src/model';

const linear = (width: number): Drawn => ({ kind: 'linear', width, height: 1, rows: ['10'.repeat(width).slice(0, width)] });
const square = (width: number): Drawn => ({ kind: 'matrix', width, height: width, rows: Array.from({ length: width }, () => '1'.repeat(width)) });
const phone = (ratio: number) => ({ width: 390, height: 844, ratio });

describe('a module', () => {
  it.each([1, 1.5, 2, 2.625, 3])('is a whole number of device pixels at a ratio of %f, and one more would not fit', (ratio) => {
    const fit = fitted(linear(95), quietZone('ean_13', 'linear'), phone(ratio), 0.6, true);
    const module = fit.across * ratio;
    expect(module).toBeCloseTo(Math.round(module), 9);
    expect(fit.width).toBeLessThanOrEqual(390);
    expect(((module + 1) / ratio) * (95 + 18)).toBeGreaterThan(390);
  });

  it('is as small as one device pixel at worst, and the code is then wider than the page rather than blurred', () => {
    expect(fitted(linear(2000), quietZone(undefined, 'linear'), phone(1), 0.6, false).across).toBe(1);
  });
});

describe('a code on a phone', () => {
  it('turns along the page when it is long, and shows larger modules for it', () => {
    const long = fitted(linear(280), quietZone('code_128', 'linear'), phone(2), 0.6, true);
    const straight = fitted(linear(280), quietZone('code_128', 'linear'), phone(2), 0.6, false);
    expect(long.turned).toBe(true);
    expect(long.down).toBeGreaterThan(straight.across);
    expect(long.height).toBeGreaterThan(long.width);
  });

  it('stays upright when its modules are large enough', () => {
    expect(fitted(linear(95), quietZone('ean_13', 'linear'), phone(2), 0.6, true).turned).toBe(false);
  });

  it('leaves room below: a matrix code is no higher than its share of the page', () => {
    const fit = fitted(square(21), quietZone('qr_code', 'matrix'), { width: 800, height: 400, ratio: 1 }, 0.5, true);
    expect(fit.height).toBeLessThanOrEqual(200);
    expect(fit.left).toBe(4 * fit.across);
  });
});

describe('the picture', () => {
  it('covers exactly the dark modules', () => {
    const drawn: Drawn = { kind: 'matrix', width: 4, height: 2, rows: ['1101', '0010'] };
    expect(path(drawn)).toBe('M0 0h2v1h-2zM3 0h1v1h-1zM2 1h1v1h-1z');
  });

  it('turned four times is itself again', () => {
    const drawn: Drawn = { kind: 'matrix', width: 3, height: 2, rows: ['110', '001'] };
    expect(turned(drawn).rows).toEqual(['01', '01', '10']);
    expect(turned(turned(turned(turned(drawn))))).toEqual(drawn);
  });

  it('is black on white with the quiet zone around it', () => {
    const picture = svg(square(21), 3, 'qr_code');
    expect(picture).toContain('width="87" height="87" viewBox="0 0 29 29" shape-rendering="crispEdges"');
    expect(picture).toContain('fill="#fff" d="M0 0h29v29h-29z"');
  });

  it('leaves what the standards ask beside an EAN-13', () => {
    expect(quietZone('ean_13', 'linear')).toMatchObject({ left: 11, right: 7 });
    expect(quietZone('code_128', 'linear')).toMatchObject({ left: 10, right: 10 });
  });
});
