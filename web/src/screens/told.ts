/** What a person has been told or asked already, on this device; forgotten when somebody signs out of it. */
import { effect, signal } from '@preact/signals';
import { account } from '../wallet';

const KEY = 'karman.told';
const told = signal<ReadonlySet<string>>(new Set(stored()));

export function wasTold(what: string): boolean {
  return told.value.has(what);
}

export function tell(what: string): void {
  save(new Set([...told.value, what]));
}

let before: string | undefined;
effect(() => {
  const now = account.value?.id;
  if (before && before !== now) save(new Set([...told.peek()].filter((what) => !what.includes(':'))));
  before = now;
});

function save(next: ReadonlySet<string>): void {
  told.value = next;
  try {
    localStorage.setItem(KEY, JSON.stringify([...next]));
  } catch {
    // Without storage the hint is shown again next time: no harm.
  }
}

function stored(): string[] {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '[]') as string[];
  } catch {
    return [];
  }
}
