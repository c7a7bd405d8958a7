/**
 * A shop that connects for the first time, for tests: a program that knows Karman from its documentation only, signs its
 * assertions with `jose` and verifies webhooks with `standardwebhooks`. It also plays the holder of its cards.
 *
 * `node scripts/shop.mjs` prints where it listens for webhooks, reads a line {service, id, secret, slug}, and prints a
 * line that says what came of its day. Whatever is not as documented ends it with an error.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Webhook } from 'standardwebhooks';

const PATIENCE_MS = 60_000;
const NUMBERS = { open: '7789000000017', challenge: '7789000000024', code: '7789000000031', nobody: '7789000000048' };

// ---------------------------------------------------------------- its own server

const hooked = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request.setEncoding('utf8')) body += part;
  hooked.push({ headers: request.headers, body });
  response.writeHead(204).end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const address = `127.0.0.1:${server.address().port}`;
console.log(address);

const [line] = await once(createInterface({ input: process.stdin }), 'line');
const { service, id, secret, slug } = JSON.parse(line);

// ---------------------------------------------------------------- asking

/** An answer's status, headers and body; anything but 2xx is an error. */
async function asked(method, path, { body, type = 'application/json', headers = {} } = {}) {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const given = sent === undefined ? headers : { 'Content-Type': type, ...headers };
  const answer = await fetch(service + path, { method, body: sent, headers: given, redirect: 'error' });
  const text = await answer.text();
  assert(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  const isJson = /json$/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
}

/** What `look` finds, once it finds something. */
async function until(look) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`Waited in vain: ${look}`);
}

const moment = (minutes = 0) => new Date(Date.now() + minutes * 60_000).toISOString();

// ---------------------------------------------------------------- the shop

async function token(proof, headers) {
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...proof });
  const type = 'application/x-www-form-urlencoded';
  const { body } = await asked('POST', '/oauth/token', { body: `${form}`, type, headers });
  assert.equal(body.token_type, 'Bearer');
  return body.access_token;
}

/** A call of the API with a token, and for every write a key of its own. */
const calling =
  (bearer) =>
  async (method, path, body, type) => {
    const headers = { Authorization: `Bearer ${bearer}` };
    if (method !== 'GET') headers['Idempotency-Key'] = `"${randomUUID()}"`;
    return (await asked(method, `/partner/v1${path}`, { body, type, headers })).body;
  };

/** Leaves the shared secret behind: a key whose private half never leaves this program. */
async function signedIn() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const first = calling(await token({}, { Authorization: `Basic ${btoa(`${id}:${secret}`)}` }));
  await first('PUT', '/keys/first', await exportJWK(publicKey));
  const metadata = (await asked('GET', '/.well-known/oauth-authorization-server')).body;
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: 'ES256', kid: 'first' })
    .setIssuer(id)
    .setSubject(id)
    .setAudience(metadata.issuer)
    .setIssuedAt()
    .setExpirationTime('2m')
    .sign(privateKey);
  const kind = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  return calling(await token({ client_assertion_type: kind, client_assertion: assertion }));
}

// ---------------------------------------------------------------- the holder

/** A UUIDv7 (RFC 9562). */
function uuid7() {
  const bytes = Buffer.concat([Buffer.alloc(6), randomBytes(10)]);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Somebody with a phone who has just signed up. */
async function holder() {
  const person = { email: `${randomUUID()}@example.org`, password: 'four words of mine', device: 'phone' };
  const { body, headers } = await asked('POST', '/api/accounts', { body: person });
  const cookie = headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
  const of = `?account=${body.account.id}`;
  const ask = async (method, path, sent) => (await asked(method, path + of, { body: sent, headers: { Cookie: cookie } })).body;
  const client = uuid7();
  let told = 0;

  const keep = async (number) => {
    const [card, space] = [uuid7(), body.space];
    const args = { space, id: card, card: { name: 'Лавка', merchant: slug, number } };
    const mutations = [{ id: (told += 1), name: 'card.keep', args }];
    const { results } = await ask('POST', '/api/sync/push', { client, mutations });
    assert.equal(results[0].status, 'applied');
    return card;
  };
  const live = async (card) => {
    const { patch } = await ask('GET', '/api/sync/pull');
    return patch.find((put) => put.op === 'put' && put.key === `live/${card}`)?.value;
  };
  const connect = (card, policy, code) => ask('POST', '/api/links', { space: body.space, card, policy, code });
  return { ask, keep, live, connect };
}

// ---------------------------------------------------------------- the day

const PROGRAMME = {
  name: { en: 'Corner shop', ru: 'Лавка' },
  unit: { points: { en: ['point', 'points'], ru: ['балл', 'балла', 'баллов'] } },
  tiers: [{ id: 'gold', name: { en: 'Gold', ru: 'Золотой' } }],
  policies: ['challenge', 'code', 'open'],
};
const OFFER = {
  title: { en: 'Coffee for a point', ru: 'Кофе за балл' },
  starts_at: moment(-60),
  ends_at: moment(24 * 60),
  state: 'live',
  audience: { all: true },
};

/** The code that the shop was told for a number, as it would send it to the contact that it has. */
const challenged = (number) =>
  until(() => bodies().find(({ type, data }) => type === 'link.challenge' && data.number === number)?.data.code);

const bodies = () => hooked.map(({ body }) => JSON.parse(body));

/** A card of each policy, connected as its policy says. */
async function connected(shop, phone) {
  const cards = {};
  for (const policy of ['open', 'challenge', 'code']) cards[policy] = await phone.keep(NUMBERS[policy]);
  const links = { open: (await phone.connect(cards.open, 'open')).link };
  const { attempt } = await phone.connect(cards.challenge, 'challenge');
  const answered = { code: await challenged(NUMBERS.challenge) };
  links.challenge = (await phone.ask('PUT', `/api/links/attempts/${attempt}`, answered)).link;
  const { code } = await shop('POST', `/cards/${NUMBERS.code}/codes`, {});
  links.code = (await phone.connect(cards.code, 'code', code)).link;
  return { cards, links };
}

/** A balance for each card in each of the three ways; gives what the phone shows. */
async function balanced(shop, phone, cards) {
  const as_of = moment();
  await shop('PUT', `/cards/${NUMBERS.open}/balance`, { main: 10, as_of });
  const batch = [
    { number: NUMBERS.challenge, main: 20, tier: 'gold', as_of },
    { number: NUMBERS.nobody, main: 1, as_of },
  ];
  assert.deepEqual((await shop('POST', '/balances', { balances: batch })).results.map((one) => one.status), ['stored', 'stored']);
  const base = [{ number: NUMBERS.code, main: 30, as_of }, { number: NUMBERS.nobody, main: 2, as_of: moment(1) }];
  await shop('POST', '/balances/import', base.map((row) => `${JSON.stringify(row)}\n`).join(''), 'application/x-ndjson');
  const shown = {};
  for (const [policy, card] of Object.entries(cards)) {
    shown[policy] = (await until(async () => (await phone.live(card))?.balance && phone.live(card))).balance.main;
  }
  return shown;
}

/** Every page of the feed, two events at a time. */
async function feed(shop) {
  const items = [];
  for (let after = ''; ; ) {
    const page = await shop('GET', `/events?limit=2&after=${after}`);
    if (!page.items.length) return items;
    items.push(...page.items);
    after = page.next;
  }
}

const shop = await signedIn();
await shop('PUT', '/programme', PROGRAMME);
const hook = await shop('POST', '/webhooks', { url: `http://${address}/karman` });
const phone = await holder();
const { cards, links } = await connected(shop, phone);
const shown = await balanced(shop, phone, cards);
await shop('PUT', '/offers/coffee', OFFER);
const offers = {};
for (const [policy, card] of Object.entries(cards)) {
  offers[policy] = await until(async () => (await phone.live(card)).offers[0]?.title.en);
}

const standing = (await shop('GET', '/links')).items.map(({ id: link, policy }) => [policy, link]);
assert.deepEqual(Object.fromEntries(standing), links);
await shop('DELETE', `/links/${links.open}`);
await shop('POST', `/cards/${NUMBERS.challenge}/reissue`, {});
await phone.ask('DELETE', `/api/links/${links.code}`);
for (const card of Object.values(cards)) await until(async () => (await phone.live(card)) === undefined);

const events = await feed(shop);
await until(() => hooked.length >= events.length);
const verifier = new Webhook(hook.secret);
const verified = hooked.map(({ headers, body }) => ({ id: headers['webhook-id'], ...verifier.verify(body, headers) }));
// The code of a challenge is told once: the feed has forgotten it by now.
const spoken = ({ data: { code: _, ...data }, ...event }) => ({ ...event, data });
assert.deepEqual(verified.map(spoken), events.map(spoken));
console.log(JSON.stringify({ shown, offers, told: events.map(({ type, data }) => [type, data.policy ?? null, data.reason ?? null]) }));
server.close();
