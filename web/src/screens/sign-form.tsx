/** E-mail and password: one form that makes an account or signs in. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { signIn, signUp } from '../account';
import { ApiProblem } from '../api';
import { sentence, words } from '../messages';
import { focusFault } from './focus-fault';
import { signMode, type SignMode } from './sign-mode';

interface Faults { email?: string; password?: string; whole?: string }

const SHORTEST_PASSWORD = 8;
const LONGEST_PASSWORD = 256;

export function SignForm({ email: known }: { readonly email?: string | undefined }) {
  const { account: said } = words();
  const mode = known ? 'in' : signMode.value;
  const working = useSignal(false);
  const faults = useSignal<Faults>({});
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const [email, password] = [typedIn(form.current!, 'email'), typedIn(form.current!, 'password')];
    faults.value = checked(email.trim(), password);
    if (faults.value.email ?? faults.value.password) return focusFault(form.current!);
    working.value = true;
    faults.value = await attempt(mode, email.trim(), password);
    working.value = false;
  };
  const title = mode === 'up' ? said.signUp : said.signIn;
  const switchMode = () => {
    faults.value = {};
    signMode.value = mode === 'up' ? 'in' : 'up';
  };
  return (
    <form class="stack block" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <h2>{title}</h2>
      <Field name="email" type="email" label={said.email} autocomplete="username" value={known}
        fault={faults.value.email} />
      <Field name="password" type="password" label={said.password}
        autocomplete={mode === 'up' ? 'new-password' : 'current-password'}
        hint={mode === 'up' ? said.passwordHint : undefined} fault={faults.value.password} />
      <div role="alert">{faults.value.whole && <p class="fault">{faults.value.whole}</p>}</div>
      <button type="submit" class="button main" data-testid={mode === 'up' ? 'sign-up' : 'sign-in'}
        disabled={working.value}>
        {working.value ? said.working : title}
      </button>
      {!known && (
        <button type="button" class="link" data-testid="sign-mode" onClick={switchMode}>
          {mode === 'up' ? said.haveAccount : said.noAccount}
        </button>
      )}
    </form>
  );
}

function typedIn(form: HTMLFormElement, name: string): string {
  return (form.elements.namedItem(name) as HTMLInputElement).value;
}

function checked(email: string, password: string): Faults {
  const { account: said } = words();
  return {
    ...(!/^\S+@\S+\.\S+$/.test(email) && { email: said.emailWrong }),
    ...(passwordFault(password) && { password: passwordFault(password) }),
  };
}

function passwordFault(password: string): string {
  const { account: said } = words();
  const { length } = [...password];
  if (length < SHORTEST_PASSWORD) return said.passwordShort;
  return length > LONGEST_PASSWORD ? said.passwordLong : '';
}

async function attempt(mode: SignMode, email: string, password: string): Promise<Faults> {
  try {
    await (mode === 'up' ? signUp : signIn)(email, password);
    return {};
  } catch (error) {
    return faultsOf(error, password);
  }
}

function faultsOf(error: unknown, password: string): Faults {
  const named = error instanceof ApiProblem ? error.errors.map(({ pointer }) => pointer.split('/').pop()) : [];
  const { account: said } = words();
  if (named.includes('email')) return { email: said.emailWrong };
  if (named.includes('password')) return { password: passwordFault(password) || sentence(error) };
  return { whole: sentence(error) };
}

/** The types of Preact tie many attributes to one literal `type`; these three take the same ones. */
function typed(type: 'text' | 'email' | 'password'): { type: 'text' } {
  return { type: type as 'text' };
}

interface FieldProps {
  readonly name: 'email' | 'password';
  readonly type: 'email' | 'password';
  readonly label: string;
  readonly autocomplete: 'username' | 'new-password' | 'current-password';
  readonly value?: string | undefined;
  readonly hint?: string | undefined;
  readonly fault?: string | undefined;
}

function Field({ name, type, label, autocomplete, value, hint, fault }: FieldProps) {
  const shown = useSignal(false);
  const said = fault ?? hint;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input class="input" id={name} name={name} data-testid={name} {...typed(shown.value ? 'text' : type)}
        defaultValue={value} autocomplete={autocomplete}
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
