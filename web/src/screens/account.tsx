/** The account: making one, signing in and out, cards to take along, devices; and the language. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/forms.css';
import { guestCards } from '../account';
import { Icon } from '../icons';
import { ShopIcon } from '../icons-shops';
import { LANGUAGES, words } from '../messages';
import { PARTNERS } from '../messages/partners';
import type { Card, Language } from '../model';
import { account, cards, language, storage, sync } from '../wallet';
import { Adopt } from './adopt';
import { Devices } from './devices';
import { notTaken } from './left-cards';
import { Screen } from './screen';
import { SignForm } from './sign-form';
import { SignOut } from './sign-out';

export function AccountScreen() {
  const { account: said } = words();
  const guests = useSignal<readonly Card[]>([]);
  const signedIn = account.value;
  // Whoever signs in here wants the cards next.
  const came = useSignal(!signedIn).value;
  const offered = notTaken(guests.value);
  const offer = () => guestCards().then((found) => (guests.value = found), () => undefined);
  useEffect(() => {
    if (signedIn) void offer();
    else guests.value = [];
  }, [signedIn?.id]);
  return (
    <Screen title={said.title}>
      <div class="narrow stack">
        {signedIn ? <p>{signedIn.email && said.signedInAs(signedIn.email)}</p> : <GuestWords />}
        {signedIn && came && !offered.length && <a class="button main" href="/" data-testid="to-cards">{said.toCards}</a>}
        {(!signedIn || sync.value.state === 'signed-out') && <SignForm email={signedIn?.email} />}
        {signedIn && offered.length > 0 && <Adopt cards={offered} onDone={() => (guests.value = [])} />}
        {signedIn && <Devices />}
        <Settings />
        {signedIn && <SignOut />}
        <Small />
      </div>
    </Screen>
  );
}

function GuestWords() {
  const { account: said } = words();
  return <p class="soft">{cards.value.length ? said.guest : said.noCards}</p>;
}

function Settings() {
  const { account: said } = words();
  return (
    <section class="stack block">
      <h2>{said.settings}</h2>
      <div class="field">
        <label for="language">{said.language}</label>
        <select id="language" class="select" data-testid="language" value={language.value}
          onChange={(event) => (language.value = event.currentTarget.value as Language)}>
          {Object.entries(LANGUAGES).map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
        </select>
      </div>
      {account.value && (
        <a class="menu-item" href="/households" data-testid="households"><Icon name="people" />{said.households}</a>
      )}
      {account.value && (
        <a class="menu-item" href="/connected" data-testid="connected-shops">
          <ShopIcon name="shop" />{PARTNERS[language.value].connectedTitle}
        </a>
      )}
      <a class="menu-item" href="/bin" data-testid="bin"><Icon name="bin" />{said.bin}</a>
      <a class="menu-item" href="/reminders" data-testid="reminders"><Icon name="bell" />{said.reminders}</a>
      {account.value && <a class="menu-item" href="/ways" data-testid="ways"><Icon name="key" />{said.ways}</a>}
      {account.value && <a class="menu-item" href="/leaving" data-testid="leaving"><Icon name="archive" />{said.leaving}</a>}
    </section>
  );
}

function Small() {
  const { account: said } = words();
  return (
    <div class="soft tiny">
      {!account.value && <p>{storage.value.persisted ? said.persisted : said.evictable}</p>}
      <p>{said.version(__APP_VERSION__)}</p>
    </div>
  );
}
