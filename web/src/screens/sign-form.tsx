/** E-mail and password: one form that makes an account or signs in, with the other ways in around it. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { signIn, signUp } from '../account';
import { ApiProblem } from '../api';
import { sentence, words } from '../messages';
import { emailFault, Fault, Field, passwordFault, typedIn } from './fields';
import { focusFault } from './focus-fault';
import { ForgotLink, Mailed, PasskeyFirst, ProviderButtons } from './other-ways';
import { signMode, type SignMode } from './sign-mode';

interface Faults { email?: string; password?: string; whole?: string }

export function SignForm({ email: known }: { readonly email?: string | undefined }) {
  const { account: said } = words();
  const mode = known === undefined ? signMode.value : 'in';
  const working = useSignal(false);
  const mailed = useSignal('');
  const faults = useSignal<Faults>({});
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const [email, password] = [typedIn(form.current!, 'email').trim(), typedIn(form.current!, 'password')];
    faults.value = checked(email, password);
    if (faults.value.email ?? faults.value.password) return focusFault(form.current!);
    working.value = true;
    faults.value = await attempt(mode, email, password, () => (mailed.value = email));
    working.value = false;
  };
  const title = mode === 'up' ? said.signUp : said.signIn;
  const switchMode = () => {
    faults.value = {};
    signMode.value = mode === 'up' ? 'in' : 'up';
  };
  if (mailed.value) return <Mailed email={mailed.value} onAgain={() => (mailed.value = '')} />;
  return (
    <form class="stack block" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <h2>{title}</h2>
      {mode === 'in' && <PasskeyFirst />}
      <Field name="email" type="email" label={said.email} autocomplete={mode === 'up' ? 'username' : 'username webauthn'}
        value={known} fault={faults.value.email} />
      <Field name="password" type="password" label={said.password}
        autocomplete={mode === 'up' ? 'new-password' : 'current-password'}
        hint={mode === 'up' ? said.passwordHint : undefined} fault={faults.value.password} />
      <Fault text={faults.value.whole} />
      <button type="submit" class="button main" data-testid={mode === 'up' ? 'sign-up' : 'sign-in'}
        disabled={working.value}>
        {working.value ? said.working : title}
      </button>
      {mode === 'in' && <ForgotLink />}
      {known === undefined && (
        <button type="button" class="link" data-testid="sign-mode" onClick={switchMode}>
          {mode === 'up' ? said.haveAccount : said.noAccount}
        </button>
      )}
      <ProviderButtons />
    </form>
  );
}

function checked(email: string, password: string): Faults {
  const [wrongEmail, wrongPassword] = [emailFault(email), passwordFault(password)];
  return { ...(wrongEmail && { email: wrongEmail }), ...(wrongPassword && { password: wrongPassword }) };
}

async function attempt(mode: SignMode, email: string, password: string, onMailed: () => void): Promise<Faults> {
  try {
    const entered = await (mode === 'up' ? signUp : signIn)(email, password);
    if (!entered) onMailed();
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
