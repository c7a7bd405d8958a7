/** Fields of the forms about getting in. */
import { useSignal } from '@preact/signals';
import { words } from '../messages';

const SHORTEST_PASSWORD = 8;
const LONGEST_PASSWORD = 256;

export function typedIn(form: HTMLFormElement, name: string): string {
  return (form.elements.namedItem(name) as HTMLInputElement).value;
}

/** What is wrong with an address, or nothing. */
export function emailFault(email: string): string {
  return /^\S+@\S+\.\S+$/.test(email) ? '' : words().account.emailWrong;
}

/** What is wrong with a new password, or nothing. */
export function passwordFault(password: string): string {
  const { account: said } = words();
  const { length } = [...password];
  if (length < SHORTEST_PASSWORD) return said.passwordShort;
  return length > LONGEST_PASSWORD ? said.passwordLong : '';
}

/** The types of Preact tie many attributes to one literal `type`; these three take the same ones. */
function typed(type: 'text' | 'email' | 'password'): { type: 'text' } {
  return { type: type as 'text' };
}

interface FieldProps {
  readonly name: string;
  readonly type: 'text' | 'email' | 'password';
  readonly label: string;
  readonly autocomplete: string;
  readonly value?: string | undefined;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
}

export function Field({ name, type, label, autocomplete, value, hint, fault }: FieldProps) {
  const shown = useSignal(false);
  const said = fault || hint;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input class="input" id={name} name={name} data-testid={name} {...typed(shown.value ? 'text' : type)}
        defaultValue={value} autocomplete={autocomplete as 'on'}
        autocapitalize="none" spellcheck={false} required aria-invalid={fault ? true : undefined}
        aria-describedby={said ? `${name}-said` : undefined} />
      {said && <p id={`${name}-said`} class={fault ? 'fault' : 'hint'}>{said}</p>}
      {type === 'password' && (
        <label class="check small">
          <input type="checkbox" checked={shown.value}
            onChange={(event) => (shown.value = event.currentTarget.checked)} />
          {words().account.showPassword}
        </label>
      )}
    </div>
  );
}

export function Tick({ name, text, more, checked }: TickProps) {
  return (
    <label class="check">
      <input type="checkbox" name={name} data-testid={name} defaultChecked={checked} />
      <span>{text}<small class="soft tiny row-under">{more}</small></span>
    </label>
  );
}

interface TickProps { readonly name: string; readonly text: string; readonly more: string; readonly checked: boolean }

export function ticked(form: HTMLFormElement, name: string): boolean {
  return (form.elements.namedItem(name) as HTMLInputElement).checked;
}

/** What is wrong with the whole form, read aloud when it appears. */
export function Fault({ text }: { readonly text: string | undefined }) {
  return <div role="alert">{text && <p class="fault">{text}</p>}</div>;
}
