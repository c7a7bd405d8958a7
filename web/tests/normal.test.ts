/** Forms of a name: one table of cases holds the web app and the service (tests/test_normal.py) to one answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fold, latin, otherLayout, plain, repairs, unmarked } from '../src/normal';

type Case = [form: string, text: string, expected: string | string[] | null];

const CASES = JSON.parse(readFileSync(join(import.meta.dirname, '../../tests/normal-cases.json'), 'utf8')) as Case[];
const FORMS: Record<string, (text: string) => string | string[] | null> = {
  plain, latin, fold, repairs, other_layout: (text) => otherLayout(text) ?? null,
};

test.each(CASES)('%s of "%s" is as the shared table says', (form, text, expected) => {
  expect(FORMS[form]!(text)).toEqual(expected);
});

test('marks are taken off letters, but not off Й, which is a letter of its own', () => {
  expect(unmarked('Ёлка, Café, Łódź № 1')).toBe('елка, cafe, łodz no 1');
  expect(unmarked('Йога И\u0306 й\u0301')).toBe('йога й й');
});
