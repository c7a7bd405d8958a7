/** One way to call the server: JSON in and out, problem details as `ApiProblem`, a dead network as `Offline`. */
import type { FieldError, Merchant, Problem } from './model';

/** Longer than the server's slowest honest answer; a call that hangs would hold the sync lock for every tab. */
const TIMEOUT_MS = 30_000;
/** Several photos over a bad mobile network. */
const UPLOAD_TIMEOUT_MS = 90_000;

/** The server answered with an error. `extra` holds what a code adds, such as `expected` of a `gap`. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly errors: readonly FieldError[];

  constructor(
    problem: Problem & { status: number },
    readonly extra: Readonly<Record<string, unknown>> = {},
    readonly retryAfterSeconds?: number,
  ) {
    super(`${problem.status} ${problem.code}`);
    this.code = problem.code;
    this.status = problem.status;
    this.detail = problem.detail ?? problem.title ?? '';
    this.errors = problem.errors ?? [];
  }

  get problem(): Problem {
    return { code: this.code, status: this.status, detail: this.detail, errors: this.errors };
  }
}

/** No answer came: no network, the server is down, or it took too long. */
export class Offline extends Error {
  override readonly name = 'Offline';
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** In which language to answer by mail. */
  readonly language?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: Blob | FormData;
  /** The media type asked for; JSON where nothing is said. */
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The server behind one `fetch`. Every method throws `ApiProblem` or `Offline`. */
export class Api {
  constructor(private readonly fetch: Fetch, private readonly signal?: AbortSignal) {}

  /** The same server, whose calls end with the signal. */
  until(signal: AbortSignal): Api {
    return new Api(this.fetch, signal);
  }

  /** The answer's JSON. What is no JSON (a hotel's sign-in page, say) did not come from the server: `Offline`. */
  async json<T>(path: string, call: Call = {}): Promise<T> {
    return (await received((await this.send(path, call)).json())) as T;
  }

  /** For answers that say nothing beyond their status. */
  async tell(path: string, call: Call): Promise<void> {
    const response = await this.send(path, call);
    // A body left unread would be cut off, and the connection with it.
    await received(response.arrayBuffer());
  }

  async blob(path: string, call: Call = {}): Promise<Blob> {
    return received((await this.send(path, call)).blob());
  }

  /** The answer with its body still on the way, for those who read it piece by piece. */
  async send(path: string, call: Call = {}): Promise<Response> {
    const ending = [this.signal, call.signal].filter((signal) => signal !== undefined);
    const response = await received(this.fetch(path + queryOf(call.query), initOf(call, ending)), ending);
    if (response.ok) return response;
    throw await problemOf(response);
  }
}

/** Shops of the directory that match what was typed so far, best first. */
export async function merchants(
  q: string, country?: string, limit = 8, signal?: AbortSignal,
): Promise<readonly Merchant[]> {
  const call = { query: { q, country, limit }, ...(signal && { signal }) };
  return (await browserApi.json<{ merchants: Merchant[] }>('/api/merchants', call)).merchants;
}

/** A country's shops as `[slug, name, aliases]`, for suggesting without a network; `merged` leads from old slugs on. */
export interface ShopList {
  readonly version: string;
  readonly merged?: Readonly<Record<string, string>>;
  readonly merchants: readonly (readonly [slug: string, name: string, aliases: readonly string[]])[];
}

const SHOP_LIST_PATH = '/api/merchants/directory';
export const PROGRAMMES_PATH = '/api/programmes';

export function shopList(country?: string): Promise<ShopList> {
  return browserApi.json(SHOP_LIST_PATH, { query: { country } });
}

/** Has the service worker keep which shops and programmes there are; they are read when somebody asks for them. */
export async function keepLists(country?: string): Promise<void> {
  // One that cannot be had does not keep the other away.
  const shops = browserApi.tell(SHOP_LIST_PATH, { query: { country } });
  await Promise.allSettled([shops, browserApi.tell(PROGRAMMES_PATH, {})]);
}

function queryOf(query: Call['query']): string {
  const pairs = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) pairs.set(name, `${value}`);
  const text = pairs.toString();
  return text && `?${text}`;
}

function initOf(call: Call, ending: readonly AbortSignal[]): RequestInit {
  const timeout = AbortSignal.timeout(call.body ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS);
  const init: RequestInit = {
    method: call.method ?? 'GET',
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.any([...ending, timeout]),
  };
  if (call.accept) init.headers = { Accept: call.accept };
  if (call.language) init.headers = { ...init.headers, 'Accept-Language': call.language };
  if (call.json !== undefined) {
    init.body = JSON.stringify(call.json);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  } else if (call.body) {
    init.body = call.body;
  }
  return init;
}

/** Anything that breaks between the request and its last byte is the network's doing, save the caller's own abort. */
export async function received<T>(answer: Promise<T>, ending: readonly AbortSignal[] = []): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (ending.some((signal) => signal.aborted)) throw error;
    throw new Offline('no answer', { cause: error });
  }
}

async function problemOf(response: Response): Promise<ApiProblem> {
  const body: Record<string, unknown> = await response.json().catch(() => ({}));
  // A proxy in between answers in HTML: its status is all there is to go by.
  const code = typeof body['code'] === 'string' ? body['code'] : `http-${response.status}`;
  const seconds = Number(response.headers.get('Retry-After') ?? NaN);
  const problem = { ...(body as object), code, status: response.status } as Problem & { status: number };
  return new ApiProblem(problem, body, Number.isFinite(seconds) ? seconds : undefined);
}

/** The server this page came from. */
export const browserApi = new Api((url, init) => fetch(url, init));
