/** A photo's reading as it comes, line by line over a real HTTP server, and asking again where that helps. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Api, ApiProblem, Offline } from '../src/api';
import { inquire, settled, type Ask } from '../src/capture/asking';
import { intake, type Known } from '../src/capture/intake';

const CODE = { format: 'ean_13', text: '4607001234562', raw: 'NDYwNzAwMTIzNDU2Mg==', confidence: 0.99 };
const SHOP = { slug: 'pyaterochka', name: 'Пятёрочка', score: 0.98, reasons: [] };
const DRAFT = { codes: [CODE], number: null, merchants: [SHOP], verdict: 'accept', face: null, timings_ms: {} };
const LINES = [
  { step: 'decode' }, { step: 'barcodes', codes: [CODE] }, { step: 'card' }, { step: 'text', number: { text: '77', confidence: 0.9 } },
  { step: 'match', merchants: [SHOP], verdict: 'accept' }, { step: 'done', ...DRAFT },
].map((line) => `${JSON.stringify(line)}\n`);

let server: Server;
let answer: (response: ServerResponse) => void;
let api: Api;
let asked: { accept?: string | undefined; body: string; left: boolean };

beforeEach(async () => {
  vi.stubGlobal('navigator', { language: 'ru-RU' });
  server = createServer((request, response) => {
    asked = { accept: request.headers.accept, body: '', left: false };
    response.on('close', () => (asked.left = !response.writableFinished));
    request.on('data', (chunk: Buffer) => (asked.body += chunk.toString('latin1')));
    request.on('end', () => answer(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  api = new Api((url, init) => fetch(`http://127.0.0.1:${port}${url}`, init));
});

afterEach(() => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

function begin(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
}

const photo = new Blob(['a photo'], { type: 'image/jpeg' });
const nobody = new AbortController().signal;
const read = (tell: (known: Known) => void = () => undefined, signal = nobody) => intake([photo, photo], tell, signal, api);

describe('a reading', () => {
  test('is told step by step, and what was found stays known', async () => {
    answer = (response) => begin(response).end(LINES.join(''));
    const told: Known[] = [];
    expect(await read((known) => told.push(known))).toEqual(DRAFT);
    expect(told.map(({ done }) => done.at(-1))).toEqual([undefined, 'barcodes', 'card', 'text', 'match']);
    expect(told[2]).toMatchObject({ codes: [CODE] });
    expect(told.at(-1)).toMatchObject({ codes: [CODE], number: { text: '77' }, merchants: [SHOP], verdict: 'accept' });
    expect(asked.accept).toBe('application/x-ndjson');
    expect(asked.body.match(/name="photo"/g)).toHaveLength(2);
  });

  test('tells a step before the next has come, wherever the bytes are cut', async () => {
    const bytes = Buffer.from(LINES.join(''));
    let open: ServerResponse | undefined;
    answer = (response) => (open = begin(response)).write(bytes.subarray(0, LINES[0]!.length + LINES[1]!.length + 3));
    const told: Known[] = [];
    const draft = read((known) => told.push(known));
    await vi.waitFor(() => expect(told.at(-1)?.codes).toEqual([CODE]));
    const cut = bytes.indexOf('Пят') + 1;
    open!.write(bytes.subarray(LINES[0]!.length + LINES[1]!.length + 3, cut));
    await new Promise((resolve) => setTimeout(resolve, 5));
    open!.end(bytes.subarray(cut));
    expect((await draft).merchants[0]?.name).toBe('Пятёрочка');
  });

  test('that breaks off keeps what was told and means no network', async () => {
    for (const end of [(response: ServerResponse) => response.destroy(), (response: ServerResponse) => response.end()]) {
      answer = (response) => begin(response).write(LINES.slice(0, 2).join(''), () => end(response));
      const told: Known[] = [];
      await expect(read((known) => told.push(known))).rejects.toBeInstanceOf(Offline);
      expect(told.at(-1)?.codes).toEqual([CODE]);
    }
  });

  test('of lines that are no JSON is the page of something in between', async () => {
    answer = (response) => begin(response).end('<html>Welcome</html>\n');
    await expect(read()).rejects.toBeInstanceOf(Offline);
  });

  test('whose last line says that it failed is that problem, with when to ask again', async () => {
    const problem = { code: 'reading-failed', status: 503, title: 'Reading failed' };
    answer = (response) => begin(response).end(`${LINES[1]}${JSON.stringify({ step: 'failed', problem, retry_after_s: '2' })}\n`);
    const failure: unknown = await read().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiProblem);
    expect(failure).toMatchObject({ code: 'reading-failed', status: 503, retryAfterSeconds: 2 });
  });

  test('of a server that answers at once is as good', async () => {
    answer = (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(DRAFT));
    expect(await read()).toEqual(DRAFT);
  });

  test('that is left lets the connection go', async () => {
    answer = (response) => begin(response).write(LINES[1]);
    const stop = new AbortController();
    await expect(read(() => stop.abort(), stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
    await vi.waitFor(() => expect(asked.left).toBe(true));
  });
});

describe('an inquiry', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const busy = (seconds?: number) => new ApiProblem({ code: 'busy', status: 503 }, {}, seconds);
  const failing = (...errors: Error[]): Ask & { readonly tries: number } => {
    const ask = async (): Promise<never> => {
      const error = errors[tries];
      tries += 1;
      if (error) throw error;
      return DRAFT as never;
    };
    let tries = 0;
    return Object.defineProperty(ask, 'tries', { get: () => tries }) as unknown as Ask & { readonly tries: number };
  };

  test('of a busy server waits as long as told, says so, and asks again', async () => {
    const ask = failing(busy(7));
    const { now } = inquire(ask);
    await vi.advanceTimersByTimeAsync(6_900);
    expect(now.value).toMatchObject({ state: 'asking', waitS: 7 });
    expect(ask.tries).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(now.value).toMatchObject({ state: 'answered', draft: DRAFT });
  });

  test('ends in time where the server stays busy, or wants to be left alone for long', async () => {
    const patient = inquire(failing(...Array.from({ length: 9 }, () => busy(1))));
    const impatient = inquire(failing(busy(600)));
    await vi.advanceTimersByTimeAsync(10_000);
    for (const { now } of [patient, impatient]) expect(now.value).toMatchObject({ state: 'failed', error: { code: 'busy' } });
  });

  test('that found no network asks again when there is one, and when the person says so', async () => {
    let online = () => undefined as void;
    const ask = failing(new Offline(), new Offline());
    const inquiry = inquire(ask, (listener) => {
      online = listener;
      return () => (online = () => undefined);
    });
    expect(await settled(inquiry)).toMatchObject({ state: 'failed' });
    online();
    expect(await settled(inquiry)).toMatchObject({ state: 'failed' });
    inquiry.again();
    expect(await settled(inquiry)).toMatchObject({ state: 'answered' });
    expect(ask.tries).toBe(3);
  });

  test('that is left asks no more', async () => {
    const ask = failing(busy(1), busy(1));
    const { leave } = inquire(ask);
    await vi.advanceTimersByTimeAsync(500);
    leave();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ask.tries).toBe(1);
  });
});
