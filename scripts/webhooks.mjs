/**
 * Verifies webhooks for tests as a shop would, with the library of Standard Webhooks: a line {secret, headers, body} in,
 * a line {ok} or {refused} out.
 */
import { createInterface } from 'node:readline';
import { Webhook } from 'standardwebhooks';

for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ ok: new Webhook(secret).verify(body, headers) }));
  } catch (error) {
    console.log(JSON.stringify({ refused: error.message }));
  }
}
