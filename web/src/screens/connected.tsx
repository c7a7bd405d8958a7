/** The shops that this person's cards are connected to, each of which can be disconnected here. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/forms.css';
import { Offline } from '../api';
import { ShopIcon } from '../icons-shops';
import { disconnect, ownLinks, type OwnLink } from '../links';
import { sentence } from '../messages';
import { PARTNERS } from '../messages/partners';
import { dayOf } from '../messages/when';
import { account, cards, language, sync } from '../wallet';
import { useShopNames } from './offers';
import { Screen } from './screen';
import { Sure } from './sure';
import { say } from './toasts';

export function Connected() {
  const said = PARTNERS[language.value];
  return (
    <Screen title={said.connectedTitle}>
      <div class="narrow stack">
        <p class="soft small">{account.value ? said.connectedAbout : said.needsAccount}</p>
        {account.value ? <Links key={account.value.id} /> : <a class="button main" href="/account">{said.toAccount}</a>}
        {account.value && (
          <a class="menu-item block" href="/offers"><ShopIcon name="tag" /><span class="grow">{said.offersTitle}</span></a>
        )}
      </div>
    </Screen>
  );
}

function Links() {
  const said = PARTNERS[language.value];
  const links = useSignal<readonly OwnLink[] | string | undefined>(undefined);
  const load = () => ownLinks().then((found) => (links.value = found), (error: unknown) => {
    links.value = error instanceof Offline ? said.connectedOffline : sentence(error);
  });
  const { state } = sync.value;
  useEffect(() => void load(), [state === 'offline', state === 'signed-out']);
  if (links.value === undefined) return null;
  if (typeof links.value === 'string') return <p role="status">{links.value}</p>;
  if (!links.value.length) return <p data-testid="none-connected">{said.noneConnected}</p>;
  return <ul>{links.value.map((link) => <li key={link.id}><Row link={link} onEnded={() => void load()} /></li>)}</ul>;
}

function Row({ link, onEnded }: { readonly link: OwnLink; readonly onEnded: () => void }) {
  const said = PARTNERS[language.value];
  const shop = useShopNames();
  const asked = useSignal(false);
  const name = cards.value.find(({ id }) => id === link.card)?.name ?? shop(link.slug);
  return (
    <div class="row row-flush" data-testid="connected-card">
      <span class="row-name">
        {name}
        <small class="soft tiny row-under">{said.connectedSince(dayOf(language.value, link.since))}</small>
      </span>
      <button type="button" class="button" data-testid="disconnect" aria-label={`${said.disconnect}: ${name}`}
        onClick={() => (asked.value = true)}>
        {said.disconnectShort}
      </button>
      {asked.value && <Disconnect link={link.id} name={name} onClose={() => (asked.value = false)} onEnded={onEnded} />}
    </div>
  );
}

interface DisconnectProps {
  readonly link: string;
  readonly name: string;
  readonly onClose: () => void;
  readonly onEnded?: () => void;
}

/** Asks, saying what goes, and disconnects. */
export function Disconnect({ link, name, onClose, onEnded }: DisconnectProps) {
  const said = PARTNERS[language.value];
  const go = () => {
    onClose();
    disconnect(link).then(() => say(said.disconnected), (error: unknown) => say(sentence(error))).then(onEnded);
  };
  return <Sure title={said.disconnect} text={said.disconnectAsk(name)} onYes={go} onClose={onClose} />;
}
