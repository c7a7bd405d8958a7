/**
 * A real OpenID Connect provider for tests: `node scripts/provider.mjs <redirect uri> …` prints its issuer and answers
 * until it is ended. Whoever signs in is who the form says: its address counts as verified where it begins with `true.`.
 */
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const server = createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: 'karman', client_secret: 'a secret of this test', redirect_uris: process.argv.slice(2) }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  pkce: { required: () => true },
  cookies: { keys: ['for this run only'] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id.replace(/^true\./, ''), email_verified: id.startsWith('true.'), name: 'Анна' }),
  }),
});
// Quiet: what is wrong shows in the answers.
provider.on('server_error', (_context, error) => console.error(error));
server.on('request', provider.callback());
console.log(issuer);
