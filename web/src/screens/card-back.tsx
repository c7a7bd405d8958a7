/** The back of a card: its balance and how it came about, its shop's offers, and the shop itself. */
import '../styles/forms.css';
import '../styles/partners.css';
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { ownLinks } from '../links';
import { amount, words } from '../messages';
import { PARTNERS } from '../messages/partners';
import { dayOf } from '../messages/when';
import type { Card, Live } from '../model';
import { markPlace, nextChange, offersOn } from '../offers';
import { pictureAddress, programmePage, type ProgrammePage } from '../programmes';
import { textIn } from '../texts';
import { useProgramme } from '../till/live';
import { account, cards, language, mayEdit, sync, wishes } from '../wallet';
import { LinkAlert } from './alert';
import { Disconnect } from './connected';
import { LiveDetails } from './live-details';
import { useNow } from './now';
import { OfferItem } from './offer-item';
import { Screen } from './screen';
import { Contacts, Outlets, Tiers } from './shop-facts';

export function CardBack({ id }: { readonly id: string }) {
  const card = cards.value.find((one) => one.id === id);
  if (card) return <Back card={card} />;
  return <Screen title={words().till.gone}><a class="button" href="/">{words().app.toWallet}</a></Screen>;
}

function Back({ card }: { readonly card: Card }) {
  const programme = useProgramme(card);
  const slug = programme?.slug ?? card.live?.slug;
  const page = useProgrammePage(slug, programme !== undefined);
  const { live } = card;
  return (
    <Screen title={card.name}>
      <div class="narrow stack">
        <LinkAlert card={card} />
        {live && <Balance live={live} />}
        {!live && programme && <ToConnect card={card} />}
        <CardOffers card={card} />
        {live?.history && live.history.length > 0 && <History live={live} />}
        <Shop page={page} live={live} />
        {live && <Ending card={card} live={live} />}
      </div>
    </Screen>
  );
}

function Balance({ live }: { readonly live: Live }) {
  return (
    <div class="stack back-balance">
      {live.balance && (
        <p class="till-balance numbers" data-testid="live-balance">
          <span class="live">{amount(live.unit, live.balance.main)}</span>
        </p>
      )}
      <LiveDetails live={live} />
    </div>
  );
}

function ToConnect({ card }: { readonly card: Card }) {
  const said = PARTNERS[language.value];
  if (!mayEdit(card)) return null;
  return (
    <>
      <p>{said.canConnect}</p>
      <a class="button main" href={`/c/${card.id}/connect`} data-testid="connect">{said.connect}</a>
    </>
  );
}

function CardOffers({ card }: { readonly card: Card }) {
  const now = useNow((at) => nextChange([card], at));
  const offered = offersOn([card], wishes.value.muted, now);
  if (!offered.length) return null;
  return (
    <section class="stack block">
      <h2>{PARTNERS[language.value].offers}</h2>
      {offered.map((one) => <OfferItem key={markPlace(one.slug, one.offer)} offered={one} />)}
    </section>
  );
}

const AT_FIRST = 5;

function History({ live: { history = [], unit } }: { readonly live: Live }) {
  const said = PARTNERS[language.value];
  const all = useSignal(false);
  const shown = all.value ? history : history.slice(0, AT_FIRST);
  return (
    <section class="block">
      <h2>{said.history}</h2>
      <ul class="steps-of-balance" data-testid="history">
        {shown.map(({ as_of, main, change }) => (
          <li key={as_of}>
            <span class="soft small">{dayOf(language.value, as_of)}</span>
            <span class="numbers">{change ? signed(change) : ''}</span>
            <span class="numbers">{amount(unit, main)}</span>
          </li>
        ))}
      </ul>
      {history.length > shown.length && (
        <button type="button" class="link" onClick={() => (all.value = true)}>{said.allHistory}</button>
      )}
    </section>
  );

  function signed(change: number): string {
    return `${change > 0 ? '+' : '−'}${amount(unit, Math.abs(change))}`;
  }
}

interface ShopProps {
  readonly page: ProgrammePage | 'missing' | undefined;
  readonly live: Live | undefined;
}

function Shop({ page, live }: ShopProps) {
  const said = PARTNERS[language.value];
  if (page === undefined) return null;
  if (page === 'missing') {
    return <p class="soft" role="status">{live || sync.value.state === 'offline' ? said.shopOffline : said.noProgramme}</p>;
  }
  const { logo, name, about } = page;
  return (
    <section class="stack block" data-testid="shop">
      <h2>{said.aboutShop}</h2>
      <div class="shop-head">
        {logo && <img src={pictureAddress(logo)} alt="" />}
        <p><strong>{textIn(language.value, name)}</strong></p>
      </div>
      {about && <p class="offer-text">{textIn(language.value, about)}</p>}
      <Contacts page={page} />
      <Tiers page={page} mine={live?.balance?.tier?.id} />
      <Outlets page={page} />
    </section>
  );
}

/** What the shop says of itself; 'missing' without a network, or where the shop has no programme. */
function useProgrammePage(slug: string | undefined, known: boolean): ProgrammePage | 'missing' | undefined {
  const [page, setPage] = useState<ProgrammePage | 'missing' | undefined>(undefined);
  const offline = sync.value.state === 'offline';
  useEffect(() => {
    let wanted = true;
    const show = (found: ProgrammePage | 'missing') => wanted && setPage(found);
    if (slug) void programmePage(slug).then(show, () => show('missing'));
    else if (known) show('missing');
    return () => void (wanted = false);
  }, [slug, known, offline]);
  return page;
}

function Ending({ card, live }: { readonly card: Card; readonly live: Live }) {
  const said = PARTNERS[language.value];
  const asked = useSignal(false);
  const isMine = useIsMine(card, live);
  return (
    <section class="stack block">
      <p class="soft small">{said.connectedSince(dayOf(language.value, live.since))}</p>
      {isMine
        ? (
          <button type="button" class="button danger wide" data-testid="disconnect" onClick={() => (asked.value = true)}>
            {said.disconnect}
          </button>
        )
        : <p class="soft small">{said.byAnother}</p>}
      {asked.value && <Disconnect link={live.link} name={card.name} onClose={() => (asked.value = false)} />}
    </section>
  );
}

/** Among others' cards, too, it may have been this person who connected one: the server tells. */
function useIsMine({ space }: Card, { link }: Live): boolean {
  const isOwnSpace = space === account.value?.space;
  const [mine, setMine] = useState(isOwnSpace);
  useEffect(() => {
    setMine(isOwnSpace);
    if (!isOwnSpace) void ownLinks().then((all) => setMine(all.some(({ id }) => id === link)), () => undefined);
  }, [isOwnSpace, link]);
  return mine;
}
