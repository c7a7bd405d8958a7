/** The back of a card: its balance and how it came about, its shop's offers, and the shop itself. */
import '../styles/forms.css';
import '../styles/partners.css';
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { ApiProblem } from '../api';
import { ownLinks } from '../links';
import { amount, words } from '../messages';
import { PARTNERS } from '../messages/partners';
import { dayOf } from '../messages/when';
import type { Card, Live } from '../model';
import { markPlace, nextChange, offersOn } from '../offers';
import { pictureAddress, programmePage, type ProgrammePage } from '../programmes';
import { textIn } from '../texts';
import { useProgramme, type Sought } from '../till/live';
import { account, cards, language, mayEdit, sync, wishes } from '../wallet';
import { LinkAlert } from './alert';
import { Disconnect } from './connected';
import { LiveDetails } from './live-details';
import { useNow } from './now';
import { OfferItem } from './offer-item';
import { OutOfReach } from './out-of-reach';
import { Screen } from './screen';
import { Contacts, Outlets, Tiers } from './shop-facts';

export function CardBack({ id }: { readonly id: string }) {
  const card = cards.value.find((one) => one.id === id);
  if (card) return <Back card={card} />;
  return <Screen title={words().till.gone}><a class="button" href="/">{words().app.toWallet}</a></Screen>;
}

function Back({ card }: { readonly card: Card }) {
  const sought = useProgramme(card);
  const programme = sought === 'unreachable' ? undefined : sought;
  const { live } = card;
  const slug = programme?.slug ?? live?.slug;
  return (
    <Screen title={card.name}>
      <div class="narrow stack">
        <LinkAlert card={card} />
        {live && <Balance live={live} />}
        {!live && programme && <ToConnect card={card} />}
        <CardOffers card={card} />
        {live?.history && live.history.length > 0 && <History live={live} />}
        {slug ? <Shop key={slug} slug={slug} live={live} /> : <NoShop sought={sought} />}
        {live && <Ending key={live.link} card={card} live={live} />}
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

/** Nothing is said while it is asked for. */
function NoShop({ sought }: { readonly sought: Sought }) {
  if (sought === 'unreachable') return <OutOfReach />;
  return sought === null ? <p class="soft" role="status">{PARTNERS[language.value].noProgramme}</p> : null;
}

function Shop({ slug, live }: { readonly slug: string; readonly live: Live | undefined }) {
  const said = PARTNERS[language.value];
  const page = useProgrammePage(slug);
  if (page === undefined || page === 'gone') return null;
  if (page === 'unreachable') return <OutOfReach />;
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

/** What the shop says of itself. */
function useProgrammePage(slug: string): ProgrammePage | 'gone' | 'unreachable' | undefined {
  const [page, setPage] = useState<ProgrammePage | 'gone' | 'unreachable' | undefined>(undefined);
  const isOffline = sync.value.state === 'offline';
  useEffect(() => {
    const failed = (error: unknown) => {
      const isGone = error instanceof ApiProblem && error.code === 'not-found';
      // What has been shown stays while the network is away.
      setPage((before) => (isGone ? 'gone' : before ?? 'unreachable'));
    };
    void programmePage(slug).then(setPage, failed);
  }, [slug, isOffline]);
  return page;
}

function Ending({ card, live }: { readonly card: Card; readonly live: Live }) {
  const said = PARTNERS[language.value];
  const asked = useSignal(false);
  const isMine = useIsMine(card, live);
  return (
    <section class="stack block">
      <p class="soft small">{said.connectedSince(dayOf(language.value, live.since))}</p>
      {isMine && (
        <button type="button" class="button danger wide" data-testid="disconnect" onClick={() => (asked.value = true)}>
          {said.disconnect}
        </button>
      )}
      {isMine === false && <p class="soft small" data-testid="by-another">{said.byAnother}</p>}
      {asked.value && <Disconnect link={live.link} name={card.name} onClose={() => (asked.value = false)} />}
    </section>
  );
}

/** Among others' cards, too, it may have been this person who connected one: the server tells, once it is reached. */
function useIsMine({ space }: Card, { link }: Live): boolean | undefined {
  const isOwnSpace = space === account.value?.space;
  const [mine, setMine] = useState<boolean | undefined>(undefined);
  const isOffline = sync.value.state === 'offline';
  useEffect(() => {
    if (!isOwnSpace) void ownLinks().then((all) => setMine(all.some(({ id }) => id === link)), () => undefined);
  }, [isOwnSpace, link, isOffline]);
  return isOwnSpace || mine;
}
