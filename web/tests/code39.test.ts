/** Code 39 says a text plainly, as pairs, or not at all. */
import { describe, expect, it } from 'vitest';
import { spelling } from '../src/codes/code39';

describe('Code 39', () => {
  it('says its own 43 characters plainly', () => {
    expect(spelling('POCKET-39. $5')).toBe('plain');
  });

  it('says small letters as pairs', () => {
    expect(spelling('pocket')).toBe('pairs');
  });

  it('says what looks like a pair as pairs, so that it is not read as one', () => {
    expect(spelling('A+B')).toBe('pairs');
  });

  it('says nothing where the last of the pairs would pass for a check character', () => {
    expect(spelling('--eeiqrstuxd')).toBe('none');
  });

  it('says a text with pairs and a check character plainly, as it was read', () => {
    expect(spelling('--+E+E+I+Q+R+S+T+U+X+D')).toBe('plain');
  });

  it('has a spelling for every character of ASCII', () => {
    const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
    expect(ascii.filter((character) => spelling(`0${character}0`) === 'none')).toEqual([]);
  });
});
