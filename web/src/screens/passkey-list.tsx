/** Passkeys: what they are, which there are, and one more. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { Icon } from '../icons';
import { ago } from '../messages';
import { WAYS, type WaysWords } from '../messages/ways';
import { canUsePasskeys } from '../passkeys';
import { language } from '../wallet';
import { makePasskey, removePasskey, renamePasskey, type PasskeyShown } from '../ways';
import { Field, typedIn } from './fields';
import { Sheet } from './sheet';
import { Sure } from './sure';
import { say } from './toasts';
import type { SectionProps } from './ways-in';

const words = (): WaysWords['passkey'] => WAYS[language.value].passkey;

export function PasskeyList({ ways, prover, onChanged }: SectionProps) {
  const renamed = useSignal<PasskeyShown | null>(null);
  const removed = useSignal<PasskeyShown | null>(null);
  const add = () => prover.run(async () => {
    await makePasskey();
    say(words().added);
    await onChanged();
  });
  const remove = (id: string) => prover.run(async () => {
    removed.value = null;
    await removePasskey(id);
    say(words().removed);
    await onChanged();
  });
  const rename = (id: string, name: string) => prover.run(async () => {
    renamed.value = null;
    await renamePasskey(id, name);
    await onChanged();
  });
  return (
    <section class="stack block">
      <h2>{words().title}</h2>
      <p class="soft small">{words().about}</p>
      {ways.passkeys.map((passkey) => (
        <Row key={passkey.id} passkey={passkey} onRename={() => (renamed.value = passkey)}
          onRemove={() => (removed.value = passkey)} />
      ))}
      {canUsePasskeys()
        ? <button type="button" class="button wide" data-testid="add-passkey" onClick={() => void add()}><Icon name="key" />{words().add}</button>
        : <p class="soft small">{words().unable}</p>}
      {renamed.value && (
        <Rename passkey={renamed.value} onName={(name) => void rename(renamed.value!.id, name)}
          onClose={() => (renamed.value = null)} />
      )}
      {removed.value && (
        <Sure title={words().remove} text={words().removeAsk(removed.value.name)}
          onYes={() => void remove(removed.value!.id)} onClose={() => (removed.value = null)} />
      )}
    </section>
  );
}

interface RowProps { readonly passkey: PasskeyShown; readonly onRename: () => void; readonly onRemove: () => void }

function Row({ passkey, onRename, onRemove }: RowProps) {
  const { name, created_at: made, used_at: used } = passkey;
  return (
    <div class="row row-flush" data-testid="passkey-row">
      <Icon name="key" />
      <span class="row-name">
        {name}
        <small class="soft tiny row-under">{used ? words().used(ago(used)) : words().made(ago(made))}</small>
      </span>
      <button type="button" class="round" aria-label={`${words().rename}: ${name}`} data-testid="rename-passkey"
        onClick={onRename}>
        <Icon name="edit" />
      </button>
      <button type="button" class="round" aria-label={`${words().remove}: ${name}`} data-testid="remove-passkey"
        onClick={onRemove}>
        <Icon name="bin" />
      </button>
    </div>
  );
}

interface RenameProps {
  readonly passkey: PasskeyShown;
  readonly onName: (name: string) => void;
  readonly onClose: () => void;
}

function Rename({ passkey, onName, onClose }: RenameProps) {
  const form = useRef<HTMLFormElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const name = typedIn(form.current!, 'passkey-name').trim();
    if (name) onName(name);
  };
  return (
    <Sheet title={words().rename} onClose={onClose}>
      <form class="stack" ref={form} onSubmit={submit}>
        <Field name="passkey-name" type="text" label={words().name} autocomplete="off" value={passkey.name} />
        <button type="submit" class="button main">{words().save}</button>
      </form>
    </Sheet>
  );
}
