/** The ways to sign in beside address and password: a passkey, a provider, and what to do when none is at hand. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../icons';
import { sentence } from '../messages';
import { WAYS, type WaysWords } from '../messages/ways';
import { canOfferQuietly, canUsePasskeys, NoPasskey } from '../passkeys';
import { language } from '../wallet';
import { goToProvider, offered, signInByPasskey, type ProviderShown } from '../ways';
import { Fault } from './fields';
import { offerQuietly } from './quiet-offer';

const ways = (): WaysWords => WAYS[language.value];

/** First on the screen: nothing to type. */
export function PasskeyFirst() {
  const fault = useSignal('');
  const stopOffering = useOffersQuietly((error) => (fault.value = sentence(error)));
  if (!canUsePasskeys()) return null;
  const signIn = () => {
    // A browser answers one question at a time.
    stopOffering();
    return signInByPasskey().then(() => undefined, (error: unknown) => {
      fault.value = error instanceof NoPasskey ? ways().passkey.cancelled : sentence(error);
    });
  };
  return (
    <div class="stack">
      <button type="button" class="button wide" data-testid="passkey" onClick={() => void signIn()}>
        <Icon name="key" />{ways().passkey.signIn}
      </button>
      <p class="soft tiny centred">{ways().passkey.signInMore}</p>
      <Fault text={fault.value} />
    </div>
  );
}

/** While the form is there, the browser offers passkeys in the field for the address. Answers how to end that. */
function useOffersQuietly(onFault: (error: unknown) => void): () => void {
  const leaving = useRef<AbortController | null>(null);
  const stop = () => leaving.current?.abort();
  useEffect(() => {
    const { signal } = (leaving.current = new AbortController());
    const offer = async (): Promise<void> => {
      if (await canOfferQuietly()) await offerQuietly(signInByPasskey, signal, onFault);
    };
    void offer().catch(() => undefined);
    return stop;
  }, []);
  return stop;
}

export function ProviderButtons() {
  const list = useSignal<readonly ProviderShown[]>([]);
  const fault = useSignal('');
  useEffect(() => void offered().then(({ providers }) => (list.value = providers), () => undefined), []);
  if (!list.value.length) return null;
  const leave = (id: string) => goToProvider(id, 'sign-in').catch((error: unknown) => void (fault.value = sentence(error)));
  return (
    <div class="stack">
      {list.value.map(({ id, name }) => (
        <button type="button" class="button wide" key={id} data-testid={`provider-${id}`} onClick={() => void leave(id)}>
          {ways().provider.signIn(name)}
        </button>
      ))}
      <Fault text={fault.value} />
    </div>
  );
}

export function ForgotLink() {
  return <a class="link" href="/forgot" data-testid="forgot">{ways().forgot.link}</a>;
}

/** A mail is on its way. */
export function Mailed({ email, onAgain }: { readonly email: string; readonly onAgain: () => void }) {
  return (
    <section class="stack block" role="status" data-testid="mailed">
      <h2>{ways().mailed}</h2>
      <p>{ways().mailedMore(email)}</p>
      <p class="soft small">{ways().mailedAgain}</p>
      <button type="button" class="button wide" onClick={onAgain}>{ways().again}</button>
    </section>
  );
}
