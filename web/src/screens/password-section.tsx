/** The password: changing it, setting a first one, doing without. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { ApiProblem } from '../api';
import { WAYS, type WaysWords } from '../messages/ways';
import { language } from '../wallet';
import { removePassword, setPassword, type WaysIn } from '../ways';
import { Fault, Field, passwordFault, Tick, ticked, typedIn } from './fields';
import { focusFault } from './focus-fault';
import { told, type Prover } from './proof';
import { Sheet } from './sheet';
import { Sure } from './sure';
import { say } from './toasts';
import type { SectionProps } from './ways-in';

const words = (): WaysWords['password'] => WAYS[language.value].password;

export function PasswordSection({ ways, prover, onChanged }: SectionProps) {
  const open = useSignal<'no' | 'change' | 'remove'>('no');
  const close = () => (open.value = 'no');
  const remove = () => prover.run(async () => {
    close();
    await removePassword();
    say(words().removed);
    await onChanged();
  });
  const others = ways.passkeys.length + ways.identities.length;
  return (
    <section class="stack block">
      <h2>{words().title}</h2>
      <p class="soft small">{ways.password ? words().about : words().none}</p>
      {ways.email && (
        <button type="button" class="button wide" data-testid="change-password" onClick={() => (open.value = 'change')}>
          {ways.password ? words().change : words().set}
        </button>
      )}
      {ways.password && others > 0 && (
        <button type="button" class="button quiet wide" data-testid="remove-password" onClick={() => (open.value = 'remove')}>
          {words().remove}
        </button>
      )}
      {open.value === 'change' && <Change ways={ways} prover={prover} onChanged={onChanged} onClose={close} />}
      {open.value === 'remove' && (
        <Sure title={words().remove} text={words().removeAsk} onYes={() => void remove()} onClose={close} />
      )}
    </section>
  );
}

interface ChangeProps {
  readonly ways: WaysIn;
  readonly prover: Prover;
  readonly onChanged: () => Promise<void>;
  readonly onClose: () => void;
}

function Change({ ways, prover, onChanged, onClose }: ChangeProps) {
  const form = useRef<HTMLFormElement>(null);
  const faults = useSignal<{ fresh?: string; old?: string }>({});
  const submit = async (event: Event) => {
    event.preventDefault();
    const fresh = typedIn(form.current!, 'fresh');
    const old = ways.password ? typedIn(form.current!, 'old') : undefined;
    const others = ticked(form.current!, 'end-others');
    faults.value = { fresh: passwordFault(fresh) };
    if (faults.value.fresh) return focusFault(form.current!);
    const save = async (): Promise<void> => {
      await setPassword(fresh, others, old);
      onClose();
      say(words().saved);
      await onChanged();
    };
    if (old === undefined) return prover.run(save);
    return save().catch((error: unknown) => {
      const isOld = error instanceof ApiProblem && error.code === 'wrong-password';
      faults.value = isOld ? { old: told(error) } : { fresh: told(error) };
    });
  };
  return (
    <Sheet title={ways.password ? words().change : words().set} onClose={onClose}>
      <form class="stack" ref={form} noValidate onSubmit={(event) => void submit(event)}>
        {ways.password && (
          <Field name="old" type="password" label={words().old} autocomplete="current-password" fault={faults.value.old} />
        )}
        <Field name="fresh" type="password" label={words().fresh} autocomplete="new-password" fault={faults.value.fresh} />
        <Tick name="end-others" text={words().endOthers} more={words().endOthersMore} checked={false} />
        <Fault text={faults.value.old} />
        <button type="submit" class="button main" data-testid="save-password">{words().save}</button>
      </form>
    </Sheet>
  );
}
