/** The page's picture of the app, which stands before the script does, and what the script puts in its place. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

function drawn(file: string): string[] {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8').match(/<(?:svg class="mark"|rect|path)[^>]*>/g) ?? [];
}

test('the mark does not change its looks when the app comes', () => {
  expect(drawn('index.html')).toHaveLength(5);
  expect(drawn('index.html')).toEqual(drawn('src/screens/mark.tsx'));
});
