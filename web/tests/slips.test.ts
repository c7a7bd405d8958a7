/** Slips of the finger, counted bit by bit, against the plain definition. */
import { expect, test } from 'vitest';
import { lettersOf, slips, typed } from '../src/slips';

/** Optimal string alignment by its table: the fewest edits to any beginning of the other word. */
function byTable(asked: string, word: string): number {
  const rows = [Array.from({ length: word.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= asked.length; i++) {
    const row = [i];
    for (let j = 1; j <= word.length; j++) {
      const same = asked[i - 1] === word[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      const swap = i > 1 && j > 1 && asked[i - 1] === word[j - 2] && asked[i - 2] === word[j - 1];
      if (swap) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return Math.min(...rows[asked.length]!);
}

const counted = (asked: string, word: string, most: number) => slips(typed(asked), word, lettersOf(word), most);

test.each([
  ['пятерчка', 'пятерочка', 1], ['пятероочка', 'пятерочка', 1], ['птяерочка', 'пятерочка', 1],
  ['питерочка', 'пятерочка', 1], ['магн', 'магнит', 0], ['мгни', 'магнит', 1], ['а', 'б', 1], ['лента', '', 5],
])('%s is %s after %i slips', (asked, word, expected) => {
  expect(counted(asked, word, 5)).toBe(expected);
});

test('whatever is typed, up to 31 letters, the count is that of the definition, or too many', () => {
  let seed = 20261122;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
  for (let round = 0; round < 4000; round++) {
    const letters = ['аб', 'abcd', 'пятерочкаmn'][random(3)]!;
    const word = (longest: number) => Array.from({ length: 1 + random(longest) }, () => letters[random(letters.length)]).join('');
    const [asked, other, most] = [word(31), word(40), random(9)];
    const expected = byTable(asked, other);
    expect(counted(asked, other, most), `${asked} ${other}`).toBe(expected > most ? Infinity : expected);
  }
});
