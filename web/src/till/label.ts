/** What a screen reader says of a code. */
import { FORMAT_NAMES } from '../codes/formats';
import { words } from '../messages';
import type { Code } from '../model';

export function codeLabel(code: Pick<Code, 'format' | 'text'>): string {
  return words().till.code(FORMAT_NAMES[code.format], code.text);
}
