/** For who cannot sign in: a link by mail, or a recovery code. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import '../styles/forms.css';
import { sentence, words } from '../messages';
import { WAYS, type WaysWords } from '../messages/ways';
import { go } from '../router';
import { language } from '../wallet';
import { askForReset, signInByCode } from '../ways';
import { emailFault, Fault, Field, typedIn } from './fields';
import { focusFault } from './focus-fault';
import { Mailed } from './other-ways';
import { Screen } from './screen';

const said = (): WaysWords => WAYS[language.value];

export function Forgot() {
  const mailed = useSignal('');
  return (
    <Screen title={said().forgot.title}>
      <div class="narrow stack">
        {mailed.value ? <Mailed email={mailed.value} onAgain={() => (mailed.value = '')} />
          : <ByMail onMailed={(email) => (mailed.value = email)} />}
        <ByCode />
        <p class="soft small block">{said().forgot.other}</p>
      </div>
    </Screen>
  );
}

function ByMail({ onMailed }: { readonly onMailed: (email: string) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const fault = useSignal<{ email?: string; whole?: string }>({});
  const submit = async (event: Event) => {
    event.preventDefault();
    const email = typedIn(form.current!, 'email').trim();
    fault.value = { email: emailFault(email) };
    if (fault.value.email) return focusFault(form.current!);
    await askForReset(email).then(() => onMailed(email), (error: unknown) => (fault.value = { whole: sentence(error) }));
  };
  return (
    <form class="stack" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <p>{said().forgot.mail}</p>
      <Field name="email" type="email" label={words().account.email} autocomplete="username" fault={fault.value.email} />
      <Fault text={fault.value.whole} />
      <button type="submit" class="button main" data-testid="ask-reset">{said().forgot.send}</button>
    </form>
  );
}

function ByCode() {
  const { codes, forgot } = said();
  const form = useRef<HTMLFormElement>(null);
  const fault = useSignal('');
  const submit = async (event: Event) => {
    event.preventDefault();
    const code = typedIn(form.current!, 'code').trim();
    fault.value = code ? '' : codes.empty;
    if (fault.value) return focusFault(form.current!);
    await signInByCode(code).then(() => go('/ways', { replace: true }), (error: unknown) => (fault.value = sentence(error)));
  };
  return (
    <form class="stack block" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <p>{forgot.code}</p>
      <Field name="code" type="text" label={codes.one} autocomplete="off" hint={codes.oneHint} fault={fault.value} />
      <button type="submit" class="button wide" data-testid="use-code">{codes.signIn}</button>
    </form>
  );
}
