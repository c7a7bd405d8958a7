/** Coming in by a passkey in the address field, and by way of a provider. */
import { expect, test, vi } from 'vitest';
import { Offline } from '../src/api';
import { NoPasskey } from '../src/passkeys';
import { offerQuietly } from '../src/screens/quiet-offer';
import { rememberWayBack, takeWayBack } from '../src/way-back';

type SignIn = Parameters<typeof offerQuietly>[0];

/** Attempts one after the other, each as the passkey and the server have it. */
function attempts(...outcomes: { readonly chosen: boolean; readonly error?: Error; readonly before?: () => void }[]) {
  return vi.fn<SignIn>(async (_quietly, onChosen) => {
    const { chosen, error, before } = outcomes.shift()!;
    before?.();
    if (chosen) onChosen();
    if (error) throw error;
  });
}

test('a chosen passkey that the server refuses is told of, and passkeys are offered again', async () => {
  const refused = new Error('the challenge is too old');
  const signIn = attempts({ chosen: true, error: refused }, { chosen: true });
  const faults: unknown[] = [];
  await offerQuietly(signIn, new AbortController().signal, (error) => faults.push(error));
  expect([faults, signIn.mock.calls.length]).toEqual([[refused], 2]);
});

test('what fails before anybody chose is not told, and not tried again', async () => {
  for (const error of [new Offline('no network'), new NoPasskey()]) {
    const signIn = attempts({ chosen: false, error });
    const onFault = vi.fn();
    await offerQuietly(signIn, new AbortController().signal, onFault);
    expect([onFault.mock.calls.length, signIn.mock.calls.length]).toEqual([0, 1]);
  }
});

test('an offer that was ended tells nothing and is not made again', async () => {
  const ending = new AbortController();
  const signIn = attempts({ chosen: true, error: new Offline('late'), before: () => ending.abort() });
  const onFault = vi.fn();
  await offerQuietly(signIn, ending.signal, onFault);
  expect([onFault.mock.calls.length, signIn.mock.calls.length]).toEqual([0, 1]);
});

test('an invitation waits with its token while one signs in at a provider’s, and is told once', () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  rememberWayBack({ pathname: '/account', hash: '' });
  expect(takeWayBack()).toBeUndefined();
  rememberWayBack({ pathname: '/join', hash: '#token' });
  expect([takeWayBack(), takeWayBack(), kept.size]).toEqual(['/join#token', undefined, 0]);
  vi.unstubAllGlobals();
});
