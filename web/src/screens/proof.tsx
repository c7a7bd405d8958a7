/** Some changes need a proof of a moment ago: what asks for it is done again once it is given. */
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { ApiProblem } from '../api';
import { sentence, words } from '../messages';
import { WAYS } from '../messages/ways';
import { canUsePasskeys, NoPasskey, PasskeyHere } from '../passkeys';
import { language } from '../wallet';
import { goToProvider, proveByPasskey, proveByPassword, type Offered, type WaysIn } from '../ways';
import { Fault, Field, typedIn } from './fields';
import { Sheet } from './sheet';
import { say } from './toasts';

type Work = () => Promise<void>;

export interface Prover {
  /** Does the work, after a proof where one is needed; what goes wrong is said. */
  readonly run: (work: Work) => Promise<void>;
  /** What to show over the screen. */
  readonly sheet: ComponentChildren;
}

export function useProof(ways: Signal<WaysIn | undefined>, offered: Signal<Offered | undefined>): Prover {
  const waiting = useSignal<Work | null>(null);
  const run = async (work: Work): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (error instanceof ApiProblem && error.code === 'proof-needed') waiting.value = work;
      else say(told(error));
    }
  };
  const proven = () => {
    const work = waiting.value;
    waiting.value = null;
    if (work) void run(work);
  };
  const close = () => (waiting.value = null);
  const asking = waiting.value && ways.value;
  const sheet = asking && <Ask ways={ways.value!} offered={offered.value} onProven={proven} onClose={close} />;
  return { run, sheet };
}

/** One sentence for what a way in may throw. */
export function told(error: unknown): string {
  const { passkey } = WAYS[language.value];
  if (error instanceof NoPasskey) return passkey.cancelled;
  return error instanceof PasskeyHere ? passkey.twice : sentence(error);
}

interface AskProps {
  readonly ways: WaysIn;
  readonly offered: Offered | undefined;
  readonly onProven: () => void;
  readonly onClose: () => void;
}

function Ask({ ways, offered, onProven, onClose }: AskProps) {
  const { proof, provider } = WAYS[language.value];
  const fault = useSignal('');
  const attempt = (proving: Promise<void>) => proving.then(onProven, (error: unknown) => (fault.value = told(error)));
  const linked = offered?.providers.filter(({ id }) => ways.identities.some((one) => one.provider === id)) ?? [];
  return (
    <Sheet title={proof.title} onClose={onClose}>
      <div class="stack">
        <p>{proof.more}</p>
        {ways.passkeys.length > 0 && canUsePasskeys() && (
          <button type="button" class="button wide" data-testid="prove-passkey" onClick={() => void attempt(proveByPasskey())}>
            {proof.passkey}
          </button>
        )}
        {ways.password && <ByPassword onPassword={(password) => void attempt(proveByPassword(password))} />}
        {linked.map(({ id, name }) => (
          <button type="button" class="button wide" key={id} onClick={() => void attempt(goToProvider(id, 'prove'))}>
            {provider.signIn(name)}
          </button>
        ))}
        <Fault text={fault.value} />
      </div>
    </Sheet>
  );
}

function ByPassword({ onPassword }: { readonly onPassword: (password: string) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    onPassword(typedIn(form.current!, 'proof'));
  };
  return (
    <form class="stack" ref={form} onSubmit={submit}>
      <Field name="proof" type="password" label={words().account.password} autocomplete="current-password" />
      <button type="submit" class="button main" data-testid="prove">{WAYS[language.value].proof.go}</button>
    </form>
  );
}
