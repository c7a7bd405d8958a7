/** A small server in memory that follows the contract of docs/architecture.md, with switches for bad days. */
import { createHash, randomUUID } from 'node:crypto';
import type { CardBody } from '../src/store/database';

interface Space {
  version: number;
  readonly counted: Set<string>;
  readonly rows: Map<string, { version: number; value: CardBody | null }>;
}

interface Client {
  last: number;
  readonly receipts: Map<number, { hash: string; result: Result }>;
}

interface Result {
  readonly id: number;
  readonly status: 'applied' | 'refused';
  readonly problem?: { code: string };
}

interface Person {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly space: string;
  readonly devices: Map<string, { id: string; name: string }>;
}

interface Stream {
  readonly person: Person;
  readonly poke: (space: string, version: number) => void;
  readonly end: () => void;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly jar: Jar;
}

interface Mutation {
  readonly id: number;
  readonly name: string;
  readonly args: { space: string; id: string; [name: string]: unknown };
}

interface Backup {
  readonly spaces: Map<string, Space>;
  readonly clients: Map<string, Client>;
}

/** A browser's cookie. */
export interface Jar {
  session?: string;
}

export class Problem extends Error {
  constructor(readonly status: number, readonly code: string, readonly extra: object = {}) {
    super(code);
  }
}

const FIELD_LIMIT = 80;

export class Server {
  /** Requests seen, as "METHOD /path". */
  readonly seen: string[] = [];
  /** No answer, and nothing arrives. */
  down = false;
  /** Nothing arrives before this is over. */
  slow: Promise<void> = Promise.resolve();
  /** The next call to this path arrives, but its answer is lost. */
  loseAnswerOf: string | undefined;
  /** Called before a request is served: throw a `Problem` to answer it. */
  onRequest: (request: Request) => void = () => undefined;
  /** Called when an answer is ready but has not arrived. */
  onAnswer: (request: Request) => void = () => undefined;
  /** The most pushes that were under way at one time. */
  pushesAtOnce = 0;
  readonly unknownMutators = new Set<string>();
  /** There is no room for another card. */
  full = false;
  readonly pictures = new Map<string, Uint8Array>();
  readonly pushes: { client: string; mutations: Mutation[] }[] = [];

  private people: Person[] = [];
  private sessions = new Map<string, { person: Person; device: string; expired?: boolean }>();
  private spaces = new Map<string, Space>();
  private clients = new Map<string, Client>();
  private known = new Map<string, number>();
  private epoch = 1;
  private underWay = 0;
  private readonly streams = new Set<Stream>();

  /** `fetch` of a browser with this jar. */
  fetchFor(jar: Jar): (url: string, init: RequestInit) => Promise<Response> {
    return async (url, init) => {
      const [path = '', query] = url.split('?');
      await this.travel(path);
      if (this.down) throw new TypeError('network');
      const method = init.method ?? 'GET';
      this.seen.push(`${method} ${path}`);
      const body = await bodyOf(init);
      const request = { method, path, query: new URLSearchParams(query), body, jar };
      const response = this.answer(request);
      this.onAnswer(request);
      if (this.loseAnswerOf === path) {
        this.loseAnswerOf = undefined;
        throw new TypeError('connection reset');
      }
      return response;
    };
  }

  private async travel(path: string): Promise<void> {
    const isPush = path === '/api/sync/push';
    if (isPush) this.pushesAtOnce = Math.max(this.pushesAtOnce, ++this.underWay);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await this.slow;
    if (isPush) this.underWay--;
  }

  /** The live stream of a browser with this jar. */
  liveFor(jar: Jar) {
    return (_url: string, listener: { open(): void; poke(poke: object): void; broken(): void }) => {
      const session = this.sessions.get(jar.session ?? '');
      if (this.down || !session || session.expired) {
        setTimeout(() => listener.broken(), 0);
        return { close: () => undefined };
      }
      const stream = {
        person: session.person,
        poke: (space: string, version: number) => listener.poke({ space, version }),
        end: () => listener.broken(),
      };
      this.streams.add(stream);
      setTimeout(() => listener.open(), 0);
      return { close: () => void this.streams.delete(stream) };
    };
  }

  /** Ends all live streams, as a restart does. */
  endStreams(): void {
    for (const stream of [...this.streams]) stream.end();
  }

  get streamCount(): number {
    return this.streams.size;
  }

  /** The live cards of a person's space, as stored. */
  cards(email: string): Map<string, CardBody> {
    const space = this.spaces.get(this.person(email).space)!;
    const rows = [...space.rows].flatMap(([key, { value }]) => (value ? [[key.slice(5), value] as const] : []));
    return new Map(rows);
  }

  /** What stands under a key of a person's space. */
  body(email: string, key: string): object | null | undefined {
    return this.spaces.get(this.person(email).space)!.rows.get(key)?.value;
  }

  spaceOf(email: string): string {
    return this.person(email).space;
  }

  expire(jar: Jar): void {
    this.sessions.get(jar.session!)!.expired = true;
  }

  /** Removes a card for good, as the purge of the bin does. */
  purge(email: string, id: string): void {
    const person = this.person(email);
    const space = this.spaces.get(person.space)!;
    space.rows.set(`card/${id}`, { version: ++space.version, value: null });
    this.poke(person, space.version);
  }

  /** Writes a body that the server alone writes: what a shop says of a card, say; null removes it. */
  write(email: string, key: string, value: object | null): void {
    const person = this.person(email);
    const space = this.spaces.get(person.space)!;
    space.rows.set(key, { version: ++space.version, value: value as CardBody | null });
    this.poke(person, space.version);
  }

  private poke(person: Person, version: number): void {
    for (const stream of this.streams) if (stream.person === person) stream.poke(person.space, version);
  }

  /** What a backup would hold. */
  backup(): Backup {
    return structuredClone({ spaces: this.spaces, clients: this.clients });
  }

  restore(backup: Backup): void {
    [this.spaces, this.clients] = Object.values(structuredClone(backup)) as [Backup['spaces'], Backup['clients']];
    // Cookies of every epoch so far are of a state that shares no more than this with the store.
    this.known = new Map([...this.spaces].map(([space, { version }]) => [space, version]));
    this.epoch++;
  }

  private answer(request: Request): Response {
    try {
      this.onRequest(request);
      return this.route(request);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const { status, code, extra } = error;
      const body = { type: `/problems/${code}`, code, status, title: code, detail: code, ...extra };
      return Response.json(body, { status });
    }
  }

  private route(request: Request): Response {
    const { method, path } = request;
    if (method === 'POST' && path === '/api/accounts') return this.signUp(request);
    if (method === 'POST' && path === '/api/session') return this.signIn(request);
    if (method === 'DELETE' && path === '/api/session') return this.signOut(request);
    const { person, device } = this.session(request.jar);
    if (path === '/api/session') return Response.json(this.welcome(person, person.devices.get(device)!));
    if (path === '/api/devices') return this.devices(person, device);
    if (path.startsWith('/api/devices/')) return this.revoke(person, path.split('/').at(-1)!);
    if (request.query.get('account') !== person.id) throw new Problem(409, 'other-account');
    if (method === 'DELETE' && path === '/api/account') return this.leave(person, request);
    if (path.startsWith('/api/pictures/')) return this.picture(person, request);
    if (path === '/api/sync/push') return this.push(person, request.body as { client: string; mutations: Mutation[] });
    if (path === '/api/sync/pull') return this.pull(person, request.query);
    throw new Problem(404, 'not-found');
  }

  private signUp({ body, jar }: Request): Response {
    const { email, password, device } = body as Record<string, string>;
    if (this.people.some((person) => person.email === email)) throw new Problem(409, 'address-taken');
    const [id, space] = [randomUUID(), randomUUID()];
    const person: Person = { id, email: email!, password: password!, space, devices: new Map() };
    this.people.push(person);
    this.spaces.set(person.space, { version: 0, counted: new Set(), rows: new Map() });
    return this.enter(person, device!, jar, 201);
  }

  private signIn({ body, jar }: Request): Response {
    const { email, password, device } = body as Record<string, string>;
    const person = this.people.find((one) => one.email === email && one.password === password);
    if (!person) throw new Problem(401, 'wrong-credentials');
    return this.enter(person, device!, jar, 200);
  }

  private enter(person: Person, name: string, jar: Jar, status: number): Response {
    const device = { id: randomUUID(), name };
    person.devices.set(device.id, device);
    jar.session = randomUUID();
    this.sessions.set(jar.session, { person, device: device.id });
    return Response.json(this.welcome(person, device), { status });
  }

  private welcome({ id, email, space }: Person, device: object): object {
    return { account: { id, email }, device, space };
  }

  private signOut({ jar }: Request): Response {
    const { person, device } = this.session(jar);
    person.devices.delete(device);
    this.sessions.delete(jar.session!);
    delete jar.session;
    return new Response(null, { status: 204 });
  }

  private leave(person: Person, { body, jar, path }: Request): Response {
    if ((body as Record<string, string>)['password'] !== person.password) throw new Problem(403, 'wrong-password');
    person.devices.clear();
    this.people.splice(this.people.indexOf(person), 1);
    this.spaces.delete(person.space);
    // With its answer the word to forget the cookie is lost, too.
    if (this.loseAnswerOf !== path) delete jar.session;
    return new Response(null, { status: 204 });
  }

  private session(jar: Jar): { person: Person; device: string } {
    const session = this.sessions.get(jar.session ?? '');
    if (!session) throw new Problem(401, 'sign-in-needed');
    if (session.expired) throw new Problem(401, 'session-expired');
    if (!session.person.devices.has(session.device)) throw new Problem(401, 'device-revoked');
    return session;
  }

  private devices(person: Person, current: string): Response {
    const at = '2026-11-21T10:00:00Z';
    const rows = [...person.devices.values()].map((device) => ({
      ...device, created_at: at, last_seen_at: at, current: device.id === current,
    }));
    return Response.json({ devices: rows });
  }

  private revoke(person: Person, id: string): Response {
    if (!person.devices.delete(id)) throw new Problem(404, 'not-found');
    return new Response(null, { status: 204 });
  }

  private picture(person: Person, { method, path, body }: Request): Response {
    const [space, id] = path.split('/').slice(3);
    if (space !== person.space) throw new Problem(404, 'not-found');
    const place = `${space}/${id}`;
    const there = this.pictures.get(place);
    if (method === 'GET') {
      if (!there) throw new Problem(404, 'not-found');
      return new Response(there.slice().buffer, { headers: { 'Content-Type': 'image/webp' } });
    }
    const sent = body as Uint8Array;
    if (there && Buffer.compare(there, sent)) throw new Problem(409, 'picture-exists');
    this.pictures.set(place, sent);
    return new Response(null, { status: there ? 200 : 201 });
  }

  private push(person: Person, body: { client: string; mutations: Mutation[] }): Response {
    this.pushes.push(structuredClone(body));
    const place = `${person.id}/${body.client}`;
    const client = this.clients.get(place) ?? { last: 0, receipts: new Map() };
    this.checkNumbers(client, body.mutations);
    this.clients.set(place, client);
    const results: Result[] = [];
    for (const mutation of body.mutations) {
      const receipt = client.receipts.get(mutation.id);
      if (!receipt) this.stopAt(person, mutation);
      const result = receipt?.result ?? this.apply(person, mutation);
      client.receipts.set(mutation.id, { hash: hashOf(mutation), result });
      client.last = Math.max(client.last, mutation.id);
      results.push(result);
    }
    return Response.json({ results });
  }

  private checkNumbers(client: Client, mutations: readonly Mutation[]): void {
    let expected = client.last + 1;
    for (const mutation of mutations) {
      if (mutation.id > expected) throw new Problem(409, 'gap', { expected });
      const receipt = client.receipts.get(mutation.id);
      if (receipt && receipt.hash !== hashOf(mutation)) throw new Problem(409, 'client-forked', { id: mutation.id });
      expected = Math.max(expected, mutation.id + 1);
    }
  }

  private stopAt(person: Person, { id, name, args }: Mutation): void {
    if (this.unknownMutators.has(name)) throw new Problem(409, 'upgrade-needed', { id });
    const fields = (args['card'] ?? args['fields'] ?? {}) as CardBody;
    const named = args.space === person.space ? [fields.front, fields.back].filter(Boolean) : [];
    if (named.some((picture) => !this.pictures.has(`${args.space}/${picture}`))) {
      throw new Problem(409, 'picture-missing', { id });
    }
  }

  private apply(person: Person, { id, name, args }: Mutation): Result {
    const refuse = (code: string): Result => ({ id, status: 'refused', problem: { code } });
    const space = args.space === person.space ? this.spaces.get(args.space) : undefined;
    if (!space) return refuse('not-found');
    if (name === 'offers.wish') return this.wish(person, id, args);
    const key = `card/${args.id}`;
    const before = space.rows.get(key)?.value ?? undefined;
    const fields = (args['card'] ?? args['fields'] ?? {}) as CardBody;
    if ((fields.name?.length ?? 1) > FIELD_LIMIT || (name === 'card.keep' && !fields.name)) return refuse('invalid');
    if (name !== 'card.keep' && !before) return refuse('card-gone');
    if (name === 'card.keep' && !before && this.full) return refuse('space-full');
    const counted = `${args.id} ${String(args['use'])}`;
    const after = name === 'card.use' && space.counted.has(counted) ? before : changed(name, before, args);
    if (name === 'card.use') space.counted.add(counted);
    if (after === before || !after) return { id, status: 'applied' };
    space.rows.set(key, { version: ++space.version, value: after });
    this.poke(person, space.version);
    return { id, status: 'applied' };
  }

  private wish({ email }: Person, id: number, { slug, muted, notices }: Mutation['args']): Result {
    const before = (this.body(email, 'wishes/offers') ?? {}) as { muted?: string[]; notices?: boolean };
    const others = (before.muted ?? []).filter((one) => one !== slug);
    this.write(email, 'wishes/offers', {
      muted: muted ? [...others, slug] : slug ? others : (before.muted ?? []),
      notices: notices ?? before.notices ?? false,
    });
    return { id, status: 'applied' };
  }

  private pull(person: Person, query: URLSearchParams): Response {
    const known = cookieOf(query.get('cookie'));
    if (known && known.account !== person.id) throw new Problem(409, 'other-account');
    const from = known?.epoch === this.epoch ? known.version : undefined;
    const { rows, version } = this.spaces.get(person.space)!;
    const space = person.space;
    const patch: object[] = from === undefined ? [{ op: 'clear' }] : [];
    for (const [key, row] of rows) {
      if (row.version <= (from ?? 0)) continue;
      if (row.value) patch.push({ op: 'put', space, key, version: row.version, value: row.value });
      else patch.push({ op: 'del', space, key, version: row.version });
    }
    const cookie = JSON.stringify({ account: person.id, epoch: this.epoch, version });
    const last = this.clients.get(`${person.id}/${query.get('client')}`)?.last ?? 0;
    const restored = known && known.epoch !== this.epoch && { restored: { [space]: this.known.get(space) ?? 0 } };
    return Response.json({ cookie, last, ...restored, patch });
  }

  private person(email: string): Person {
    return this.people.find((person) => person.email === email)!;
  }
}

function changed(name: string, body: CardBody | undefined, args: Mutation['args']): CardBody {
  const now = '2026-11-21T10:00:00Z';
  if (name === 'card.keep') return body ?? { ...(args['card'] as CardBody), created_at: now };
  const fields: Record<string, unknown> = { ...body };
  if (name === 'card.set') Object.assign(fields, args['fields']);
  if (name === 'card.use') Object.assign(fields, { uses: (body?.uses ?? 0) + 1, last_used_at: args['at'] });
  if (name === 'card.bin') fields['binned_at'] ??= now;
  if (name === 'card.restore') delete fields['binned_at'];
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as unknown as CardBody;
}

function hashOf({ name, args }: Mutation): string {
  return createHash('sha256').update(JSON.stringify([name, args])).digest('hex');
}

function cookieOf(text: string | null): { account: string; epoch: number; version: number } | undefined {
  return text === null ? undefined : (JSON.parse(text) as { account: string; epoch: number; version: number });
}

async function bodyOf(init: RequestInit): Promise<unknown> {
  if (typeof init.body === 'string') return JSON.parse(init.body);
  return init.body instanceof Blob ? new Uint8Array(await init.body.arrayBuffer()) : undefined;
}
