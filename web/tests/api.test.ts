/** How answers become values and errors, over a real HTTP server. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Api, ApiProblem, Offline } from '../src/api';

let server: Server;
let api: Api;
const answers: Record<string, { status: number; body?: string; headers?: Record<string, string> }> = {};

beforeEach(async () => {
  server = createServer((request, response) => {
    const answer = answers[request.url!];
    if (!answer) return void request.socket.destroy();
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  api = new Api((url, init) => fetch(`http://127.0.0.1:${port}${url}`, init));
});

afterEach(() => new Promise((resolve) => server.close(resolve)));

test('query values are encoded and undefined ones left out', async () => {
  answers['/find?q=%D1%91+%26&limit=8'] = { status: 200, body: '{"found":1}' };
  expect(await api.json('/find', { query: { q: 'ё &', country: undefined, limit: 8 } })).toEqual({ found: 1 });
});

test('problem details become an ApiProblem with its fields and what the code adds', async () => {
  const errors = [{ pointer: '/card/number', detail: 'too long' }];
  const body = JSON.stringify({ code: 'gap', status: 409, title: 'Gap', detail: 'a gap', expected: 7, errors });
  answers['/problem'] = { status: 409, body, headers: { 'Retry-After': '30' } };
  const problem: unknown = await api.json('/problem').catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(ApiProblem);
  expect(problem).toMatchObject({ code: 'gap', status: 409, detail: 'a gap', errors, retryAfterSeconds: 30 });
  expect((problem as ApiProblem).extra['expected']).toBe(7);
});

test('an error page of something in between has its status for a code', async () => {
  answers['/proxy'] = { status: 502, body: '<h1>Bad Gateway</h1>' };
  await expect(api.json('/proxy')).rejects.toMatchObject({ code: 'http-502', status: 502 });
});

test('a broken connection and a sign-in page of a hotel both mean offline', async () => {
  await expect(api.json('/nowhere')).rejects.toBeInstanceOf(Offline);
  answers['/hotel'] = { status: 200, body: '<html>Welcome</html>' };
  await expect(api.json('/hotel')).rejects.toBeInstanceOf(Offline);
});

test('an answer without a body is enough where only the status counts', async () => {
  answers['/done'] = { status: 201 };
  await expect(api.tell('/done', { method: 'PUT' })).resolves.toBeUndefined();
});

test('what the caller gave up is not taken for a dead network', async () => {
  const given = new AbortController();
  given.abort();
  await expect(api.json('/nowhere', { signal: given.signal })).rejects.toMatchObject({ name: 'AbortError' });
  await expect(api.until(given.signal).json('/nowhere')).rejects.toMatchObject({ name: 'AbortError' });
});
