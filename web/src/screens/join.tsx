/**
 * An invitation opened by its link: who invites to what, and what is shared, before anything is joined; signing in or up
 * on the way. The token stands in the fragment, which browsers send to no server.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import '../styles/forms.css';
import { join, look, type Invited } from '../households';
import { Icon } from '../icons';
import { sentence, words } from '../messages';
import { HOUSEHOLDS, type HouseholdWords } from '../messages/households';
import { finish } from '../router';
import { account, language, sync } from '../wallet';
import { NameField } from './name-field';
import { Screen } from './screen';
import { SignForm } from './sign-form';
import { say } from './toasts';

export function Join() {
  const said = HOUSEHOLDS[language.value];
  const token = useMemo(() => location.hash.slice(1), []);
  const found = useSignal<Invited | string | undefined>(undefined);
  const load = () => look(token).then((one) => (found.value = one), (error: unknown) => (found.value = sentence(error)));
  useEffect(() => {
    if (token) void load();
    else found.value = said.noToken;
  }, [token]);
  const invited = found.value;
  return (
    <Screen title={said.joinTitle}>
      <div class="narrow stack" aria-busy={invited === undefined}>
        {typeof invited === 'string' && <Failed text={invited} onRetry={token ? () => void load() : undefined} />}
        {invited && typeof invited !== 'string' && <Told said={said} invited={invited} token={token} />}
      </div>
    </Screen>
  );
}

function Failed({ text, onRetry }: { readonly text: string; readonly onRetry: (() => void) | undefined }) {
  return (
    <>
      <p role="alert">{text}</p>
      {onRetry && <button type="button" class="button" onClick={onRetry}>{words().common.again}</button>}
      <a class="button quiet" href="/"><Icon name="back" />{words().app.toWallet}</a>
    </>
  );
}

interface ToldProps { readonly said: HouseholdWords; readonly invited: Invited; readonly token: string }

function Told({ said, invited, token }: ToldProps) {
  const signedIn = account.value !== null && sync.value.state !== 'signed-out';
  return (
    <>
      <p class="join-lead" data-testid="invited"><strong>{said.invited(invited.by, invited.household)}</strong></p>
      <p>{said.inside(invited.members, invited.cards)} {said.may[invited.role]}</p>
      <p class="note-box"><Icon name="people" /><span>{said.shared}</span></p>
      {signedIn ? <Enter said={said} invited={invited} token={token} /> : (
        <>
          <p>{said.signFirst}</p>
          <SignForm email={account.value?.email} />
        </>
      )}
    </>
  );
}

function Enter({ said, invited, token }: ToldProps) {
  const form = useRef<HTMLFormElement>(null);
  const working = useSignal(false);
  const fault = useSignal<string | undefined>(undefined);
  const submit = async (event: Event) => {
    event.preventDefault();
    const name = (form.current!.elements.namedItem('own-name') as HTMLInputElement).value.trim();
    fault.value = name ? undefined : said.missing;
    if (!name) return;
    working.value = true;
    try {
      const space = await join(token, name);
      say(said.joined(invited.household));
      finish(`/households/${space}`);
    } catch (error) {
      fault.value = sentence(error);
    }
    working.value = false;
  };
  return (
    <form class="stack block" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <NameField id="own-name" label={said.ownName} hint={said.ownNameHint} fault={fault.value} />
      <button type="submit" class="button main" data-testid="join" disabled={working.value}>
        {working.value ? said.working : said.join}
      </button>
    </form>
  );
}
