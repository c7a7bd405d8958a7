/** What the server reads from photos, told step by step as it is read: lines of JSON, one per finished step. */
import { ApiProblem, browserApi, Offline, received, type Api } from '../api';
import { country } from '../country';
import type { Draft, Problem } from '../model';

/** Steps a person is told of, in the order they are done in. */
export const STEPS = ['barcodes', 'card', 'text', 'match'] as const;
export type Step = (typeof STEPS)[number];

/** What is known of a card while it is still being read. */
export interface Known extends Partial<Draft> {
  readonly done: readonly Step[];
}

export const NOTHING: Known = { done: [] };

/** Hears all that is known after each step. */
export type Tell = (known: Known) => void;

const NDJSON = 'application/x-ndjson';

/** Longer than any line the server sends; what never ends its first line is no answer of ours. */
const LONGEST_LINE = 8_000_000;

/**
 * Has one card read from up to four photos; the server keeps nothing of them. Rejects with `ApiProblem`, and with
 * `Offline` where the answer breaks off before its end.
 */
export async function intake(
  files: readonly Blob[], tell: Tell, signal: AbortSignal, api: Api = browserApi,
): Promise<Draft> {
  const body = new FormData();
  for (const file of files) body.append('photo', file);
  // Most cards are of shops at home.
  const query = { country: country() };
  const response = await api.send('/api/intake', { method: 'POST', query, body, accept: NDJSON, signal });
  if (!response.headers.get('Content-Type')?.startsWith(NDJSON)) {
    return (await received(response.json(), [signal])) as Draft;
  }
  return lastOf(lines(response, signal), tell);
}

/** A line as the server writes it. */
type Line = Readonly<Record<string, unknown>> & { readonly step: string };

async function lastOf(coming: AsyncIterable<Line>, tell: Tell): Promise<Draft> {
  let known = NOTHING;
  for await (const { step, ...found } of coming) {
    if (step === 'failed') throw failureOf(found);
    if (step === 'done') return found as unknown as Draft;
    known = { ...known, ...found, done: isTold(step) ? [...new Set([...known.done, step])] : known.done };
    tell(known);
  }
  throw new Offline('the answer ended before its last line');
}

function isTold(step: string): step is Step {
  return (STEPS as readonly string[]).includes(step);
}

function failureOf(found: Readonly<Record<string, unknown>>): ApiProblem {
  const problem = (found['problem'] ?? {}) as Partial<Problem>;
  const seconds = Number(found['retry_after_s'] ?? NaN);
  const told = { ...problem, code: problem.code ?? 'failed', status: problem.status ?? 500 };
  return new ApiProblem(told, {}, Number.isFinite(seconds) ? seconds : undefined);
}

/** The lines of an answer as they arrive. What is no JSON did not come from the server: `Offline`. */
export async function* lines(response: Response, signal: AbortSignal): AsyncGenerator<Line> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await received(reader.read(), [signal]);
      const [...whole] = (rest + (value ?? '')).split('\n');
      rest = done ? '' : whole.pop()!;
      if (rest.length > LONGEST_LINE) throw new Offline('a line without an end');
      for (const line of whole) if (line.trim()) yield parsed(line);
      if (done) return;
    }
  } finally {
    // Whoever stops listening lets the connection go.
    void reader.cancel().catch(() => undefined);
  }
}

function parsed(line: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch (error) {
    throw new Offline('a line that is no JSON', { cause: error });
  }
}
