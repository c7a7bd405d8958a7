/** Every way into the account, what each means, and adding and removing them. */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/forms.css';
import { sentence } from '../messages';
import { WAYS, type WaysWords } from '../messages/ways';
import { go } from '../router';
import { account, language } from '../wallet';
import {
  askToVerify, goToProvider, offered, removeIdentity, waysIn, type IdentityShown, type Offered, type WaysIn as Ways,
} from '../ways';
import { Codes } from './codes-of-recovery';
import { PasskeyList } from './passkey-list';
import { PasswordSection } from './password-section';
import { useProof, type Prover } from './proof';
import { Screen } from './screen';
import { Sure } from './sure';
import { say } from './toasts';

const said = (): WaysWords => WAYS[language.value];

/** What every section is given: what there is, how to prove and do, and how to look again. */
export interface SectionProps {
  readonly ways: Ways;
  readonly prover: Prover;
  readonly onChanged: () => Promise<void>;
}

export function WaysIn() {
  const ways = useSignal<Ways | undefined>(undefined);
  const others = useSignal<Offered | undefined>(undefined);
  const fault = useSignal('');
  const prover = useProof(ways, others);
  const load = useLoading(ways, others, fault);
  const section = ways.value && { ways: ways.value, prover, onChanged: load };
  return (
    <Screen title={said().title}>
      <div class="narrow stack">
        <p class="soft">{said().lead}</p>
        {fault.value && <p class="soft">{fault.value}</p>}
        {section && (
          <>
            <PasskeyList {...section} />
            <PasswordSection {...section} />
            <Address ways={section.ways} />
            <Providers {...section} offered={others.value} />
            <Codes {...section} />
          </>
        )}
      </div>
      {prover.sheet}
    </Screen>
  );
}

function useLoading(ways: Signal<Ways | undefined>, others: Signal<Offered | undefined>, fault: Signal<string>) {
  const load = async (): Promise<void> => {
    try {
      [ways.value, others.value] = await Promise.all([waysIn(), offered()]);
      fault.value = '';
    } catch (error) {
      fault.value = sentence(error);
    }
  };
  const signedIn = account.value?.id;
  useEffect(() => void (signedIn ? load() : go('/account', { replace: true })), [signedIn]);
  return load;
}

function Address({ ways: { email, verified } }: { readonly ways: Ways }) {
  const { email: words } = said();
  const asked = useSignal(false);
  const ask = () => askToVerify().then(() => void (asked.value = true), (error: unknown) => say(sentence(error)));
  return (
    <section class="stack block">
      <h2>{words.title}</h2>
      <p>{email ? `${email}: ${verified ? words.yes : words.no}.` : words.none}</p>
      {email && !verified && !asked.value && (
        <button type="button" class="button wide" data-testid="ask-verify" onClick={() => void ask()}>{words.ask}</button>
      )}
      {asked.value && <p role="status">{said().mailedMore(email!)}</p>}
    </section>
  );
}

function Providers({ ways, prover, onChanged, offered: others }: SectionProps & { readonly offered: Offered | undefined }) {
  const { provider } = said();
  const asked = useSignal<IdentityShown | null>(null);
  const names = new Map(others?.providers.map(({ id, name }) => [id, name]));
  if (!names.size && !ways.identities.length) return null;
  const unlink = (id: string) => prover.run(async () => {
    asked.value = null;
    await removeIdentity(id);
    await onChanged();
  });
  return (
    <section class="stack block">
      <h2>{provider.title}</h2>
      <p class="soft small">{provider.about}</p>
      {ways.identities.map((one) => (
        <div class="row row-flush" key={one.id} data-testid="identity">
          <span class="row-name">{names.get(one.provider) ?? one.provider}<small class="soft tiny row-under">{one.label}</small></span>
          <button type="button" class="button" onClick={() => (asked.value = one)}>{provider.unlink}</button>
        </div>
      ))}
      {others?.providers.map(({ id, name }) => (
        <button type="button" class="button wide" key={id} data-testid={`link-${id}`}
          onClick={() => void prover.run(() => goToProvider(id, 'link'))}>
          {provider.link(name)}
        </button>
      ))}
      {asked.value && (
        <Sure title={provider.unlink} text={provider.unlinkAsk(names.get(asked.value.provider) ?? asked.value.provider)}
          onYes={() => void unlink(asked.value!.id)} onClose={() => (asked.value = null)} />
      )}
    </section>
  );
}
