/** Where a link in a mail, or the way back from a provider, leads: each does what it is for and goes on to the account. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import '../styles/forms.css';
import { ApiProblem } from '../api';
import { sentence, words } from '../messages';
import { WAYS, type WaysWords } from '../messages/ways';
import { go, path } from '../router';
import { account, language } from '../wallet';
import { takeWayBack } from '../way-back';
import { comeBack, confirmSignUp, purposeOfReturn, resetPassword, verifyAddress } from '../ways';
import { Fault, Field, passwordFault, Tick, ticked, typedIn } from './fields';
import { focusFault } from './focus-fault';
import { Screen } from './screen';
import { say } from './toasts';

const said = (): WaysWords => WAYS[language.value];

/** What came behind the address: read once, and taken out of it, so that neither history nor a shared link has it. */
let came: { readonly token: string; readonly query: URLSearchParams } | undefined;

function taken(): { readonly token: string; readonly query: URLSearchParams } {
  if (location.hash || location.search || !came) {
    came = { token: location.hash.slice(1), query: new URLSearchParams(location.search) };
    history.replaceState(history.state, '', location.pathname);
  }
  return came;
}

export function OpenedLink() {
  const at = path.value;
  if (at === '/confirm') return <Confirm token={taken().token} />;
  if (at === '/reset') return <Reset token={taken().token} />;
  return at === '/verify' ? <Verify token={taken().token} /> : <SignedIn query={taken().query} />;
}

function Confirm({ token }: { readonly token: string }) {
  const fault = useSignal('');
  const asks = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const open = (password?: string) => confirmSignUp(token, password).then(() => {
    say(said().confirm.done);
    go('/account', { replace: true });
  }, (error: unknown) => {
    asks.value ||= error instanceof ApiProblem && error.code === 'password-needed';
    fault.value = sentence(error);
  });
  useEffect(() => void open(), []);
  const submit = (event: Event) => {
    event.preventDefault();
    void open(typedIn(form.current!, 'password'));
  };
  return (
    <Page title={said().confirm.title} fault={fault.value} again={!asks.value && '/account'}>
      {asks.value && (
        <form class="stack" ref={form} noValidate onSubmit={submit}>
          <Field name="password" type="password" label={words().account.password} autocomplete="current-password" />
          <button type="submit" class="button main" data-testid="confirm">{said().confirm.go}</button>
        </form>
      )}
      {!fault.value && <p role="status">{said().confirm.working}</p>}
    </Page>
  );
}

function Reset({ token }: { readonly token: string }) {
  const fault = useSignal<{ fresh?: string; whole?: string }>({});
  const form = useRef<HTMLFormElement>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    const fresh = typedIn(form.current!, 'fresh');
    fault.value = { fresh: passwordFault(fresh) };
    if (fault.value.fresh) return focusFault(form.current!);
    await resetPassword(token, fresh, ticked(form.current!, 'end-others')).then(() => {
      say(said().reset.done);
      go('/account', { replace: true });
    }, (error: unknown) => (fault.value = { whole: sentence(error) }));
  };
  return (
    <Page title={said().reset.title} fault={fault.value.whole ?? ''} again="/forgot">
      <form class="stack" ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <Field name="fresh" type="password" label={said().password.fresh} autocomplete="new-password"
          hint={words().account.passwordHint} fault={fault.value.fresh} />
        <Tick name="end-others" text={said().password.endOthers} more={said().password.endOthersMore} checked />
        <button type="submit" class="button main" data-testid="reset">{said().reset.save}</button>
      </form>
    </Page>
  );
}

function Verify({ token }: { readonly token: string }) {
  const fault = useSignal('');
  const signedIn = account.value?.id;
  useEffect(() => {
    if (!signedIn) return;
    void verifyAddress(token).then(() => {
      say(said().verify.done);
      go('/ways', { replace: true });
    }, (error: unknown) => (fault.value = sentence(error)));
  }, [signedIn]);
  return (
    <Page title={said().confirm.title} fault={signedIn ? fault.value : said().verify.signIn} again={signedIn ? '/ways' : '/account'} />
  );
}

/** A way to the provider that ended without a code was broken off there. */
function SignedIn({ query }: { readonly query: URLSearchParams }) {
  const fault = useSignal('');
  useEffect(() => {
    const purpose = purposeOfReturn();
    const next = () => (purpose === 'sign-in' ? takeWayBack() ?? '/account' : '/ways');
    if (!query.get('code')) fault.value = said().provider.gone;
    else void comeBack(purpose, query).then(() => go(next(), { replace: true }), (error: unknown) => (fault.value = sentence(error)));
  }, []);
  return (
    <Page title={said().provider.coming} fault={fault.value} again="/account">
      {!fault.value && <p role="status">{words().account.working}</p>}
    </Page>
  );
}

interface PageProps {
  readonly title: string;
  readonly fault: string;
  /** Where to begin anew. */
  readonly again: string | false;
  readonly children?: ComponentChildren;
}

function Page({ title, fault, again, children }: PageProps) {
  return (
    <Screen title={title} onBack={() => go('/', { replace: true })}>
      <div class="narrow stack">
        <Fault text={fault} />
        {children}
        {fault && again && <a class="button wide" href={again} data-replace>{again === '/forgot' ? said().again : words().common.again}</a>}
      </div>
    </Screen>
  );
}
