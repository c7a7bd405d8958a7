/** The wallet: a phone book of cards, favourites and recent ones on top, search and ⊕ under the thumb. */
import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { favourites, recent, sections, type Section } from '../alphabet';
import { Icon } from '../icons';
import { problemSentence, words } from '../messages';
import type { Card } from '../model';
import { go, path } from '../router';
import { prepareSearch } from '../search';
import { cards, coming, language, storage, sync, notice } from '../wallet';
import { part } from './lazy';
import { Letters } from './letters';
import { Mark } from './mark';
import { OnlyCard } from './only-card';
import { Pockets, shownCards } from './pockets';
import { CardRow, Strip } from './rows';
import { found, otherNames, query, searching } from './searching';
import { LeftCards, waiting } from './left-cards';
import { useTitle } from './screen';
import { signMode } from './sign-mode';
import { SyncMark } from './sync-mark';
import { useShortcuts } from './shortcuts';
import { announce } from './toasts';
import { forgetOrder } from '../till/neighbours';
import { wide } from './wide';

const active = computed(() => shownCards.value.filter((card) => !card.archived));
const archived = computed(() => shownCards.value.filter((card) => card.archived));
const book = computed(() => sections(active.value, language.value));
const FEW = 6;
const hasOffers = computed(() => cards.value.some((card) => card.live?.offers?.length));
const OffersMark = part(() => import('./offers-mark').then((module) => module.OffersMark));

export function Wallet() {
  const scroll = useRef<HTMLDivElement>(null);
  const here = path.value === '/';
  const shown = here || wide.value;
  useTitle(words().app.name, here);
  useReturnedFocus(here);
  useShortcuts(shown, scroll);
  const letters = !searching.value && active.value.length > FEW;
  return (
    <div class={`pane list ${shown ? '' : 'away'}`} role={here && !wide.value ? 'main' : 'region'}
      aria-label={words().wallet.all}>
      <div class="bar wallet-bar">
        <h1 class="brand"><Mark />{words().app.name}</h1>
        <SyncMark />
        {hasOffers.value && <OffersMark />}
        <a class="round" href="/account" aria-label={words().wallet.account} title={words().wallet.account}>
          <Icon name="person" />
        </a>
      </div>
      <div class="wallet-middle">
        <div class={`wallet-scroll ${letters ? 'with-letters' : ''}`} ref={scroll} tabIndex={-1}>
          {searching.value ? <Found /> : <Everything />}
        </div>
        {letters && <Letters sections={book.value} scroll={scroll} />}
      </div>
      {(cards.value.length > 0) && <SearchBar />}
    </div>
  );
}

function Everything() {
  if (coming.value) return <Coming />;
  if (!cards.value.length) return <Empty />;
  const only = active.value.length === 1 ? active.value[0]! : undefined;
  return (
    <>
      <Warnings />
      <Pockets />
      {!shownCards.value.length && <p class="nothing">{words().wallet.nothingHere}</p>}
      {only ? <OnlyCard card={only} /> : <><Strips /><Book sections={book.value} /></>}
      {archived.value.length > 0 && <Archive />}
      {sync.value.state === 'guest' && <GuestHint />}
    </>
  );
}

function Strips() {
  const starred = favourites(active.value, language.value);
  const late = active.value.length > FEW ? recent(active.value).filter((card) => !card.favourite) : [];
  return (
    <>
      {starred.length > 0 && <Strip title={words().wallet.favourites} cards={starred} />}
      {late.length > 0 && <Strip title={words().wallet.recent} cards={late} />}
    </>
  );
}

function Book({ sections: parts }: { readonly sections: readonly Section[] }) {
  return (
    <>
      {parts.map((part) => (
        <Group key={part.letter} title={part.letter} id={`letter-${part.letter}`} cards={part.cards} />
      ))}
    </>
  );
}

interface GroupProps {
  readonly title: string;
  readonly id: string;
  readonly cards: readonly Card[];
}

function Group({ title, id, cards: members }: GroupProps) {
  return (
    <section data-letter={title} aria-labelledby={id}>
      <h2 class="section-head" id={id}>{title}</h2>
      <ul class="rows">{members.map((card) => <li key={card.id}><CardRow card={card} /></li>)}</ul>
    </section>
  );
}

function Archive() {
  return <Group title={words().wallet.archive} id="letter-archive" cards={archived.value} />;
}

function Found() {
  const { wallet } = words();
  const { length } = found.value;
  const told = length ? wallet.found(length) : wallet.nothing(query.value);
  useEffect(() => announce(told), [told]);
  const shown = useScreenful(found.value);
  if (!length) return <p class="nothing">{told}</p>;
  return <ul class="rows">{shown.map((card) => <li key={card.id}><CardRow card={card} /></li>)}</ul>;
}

const SCREENFUL = 16;
const PAUSE_MS = 150;

/** What fits on a screen, at once; the rest when no letter follows, so that typing never waits for a long list. */
function useScreenful(all: readonly Card[]): readonly Card[] {
  const [whole, setWhole] = useState<readonly Card[] | undefined>(undefined);
  useEffect(() => {
    const timer = setTimeout(() => setWhole(all), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [all]);
  return whole === all ? all : all.slice(0, SCREENFUL);
}

/** Made ready once the search box has the focus, before the first letter. */
async function prepareToSearch(): Promise<void> {
  setTimeout(() => prepareSearch(cards.peek(), language.peek()));
  if (otherNames.peek()) return;
  const { knownShops } = await import('../shops');
  const shops = await knownShops();
  otherNames.value = (merchant) => shops.get(merchant)?.names ?? [];
}

function SearchBar() {
  const { wallet } = words();
  const box = useRef<HTMLInputElement>(null);
  const clear = () => {
    query.value = '';
    box.current?.focus();
  };
  const open = (event: Event) => {
    event.preventDefault();
    const first = query.value ? found.value[0] : undefined;
    if (first) go(`/c/${first.id}`);
  };
  return (
    <form class="search-bar" role="search" onSubmit={open}>
      <div class="search-box">
        <Icon name="search" />
        <input class="input" type="search" ref={box} data-testid="search" value={query.value} enterkeyhint="go"
          autocomplete="off" autocorrect="off"
          spellcheck={false} placeholder={wallet.search} aria-label={wallet.search}
          onFocus={() => void prepareToSearch().catch(() => undefined)}
          onInput={(event) => (query.value = event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'Escape' && clear()} />
        {query.value && (
          <button type="button" class="clear" aria-label={wallet.clear} onClick={clear}><Icon name="close" /></button>
        )}
      </div>
      <a class="round main" href="/add" data-testid="add" aria-label={wallet.add} title={wallet.add}>
        <Icon name="add" />
      </a>
    </form>
  );
}

function Empty() {
  const { wallet } = words();
  return (
    <div class="empty">
      <Warnings />
      <Mark />
      {!waiting.value.length && <><h2>{wallet.emptyTitle}</h2><p>{wallet.emptyText}</p></>}
      <a class="button main" href="/add" data-testid="add">{wallet.add}</a>
      {sync.value.state === 'guest' && <HaveAccount />}
    </div>
  );
}

/** A new device whose account may be full of cards: that it holds none must not be said. */
function Coming() {
  const { wallet } = words();
  const { state, problem } = sync.value;
  return (
    <div class="empty" data-testid="coming">
      <Warnings />
      <Mark />
      <h2>{state === 'waiting' ? wallet.loading : wallet.notLoaded}</h2>
      {state === 'offline' && <p>{wallet.loadOnline}</p>}
      {problem && <p>{problemSentence(problem.code)}</p>}
      <a class="button main" href="/add" data-testid="add">{wallet.add}</a>
    </div>
  );
}

function HaveAccount() {
  const signIn = () => void (signMode.value = 'in');
  return <a class="button quiet" href="/account" onClick={signIn}>{words().account.haveAccount}</a>;
}

function Warnings() {
  const { wallet } = words();
  return (
    <>
      {notice.value && <Warning text={wallet.revoked}><Dismiss /></Warning>}
      {storage.value.full && <Warning text={wallet.full} />}
      <LeftCards />
    </>
  );
}

function Warning({ text, children }: { readonly text: string; readonly children?: ComponentChildren }) {
  return <div class="notice note-box" role="alert"><Icon name="alert" /><div><p>{text}</p>{children}</div></div>;
}

function Dismiss() {
  return <button type="button" class="link" onClick={() => (notice.value = null)}>{words().common.close}</button>;
}

function GuestHint() {
  const { wallet } = words();
  return (
    <div class="notice note-box">
      <Icon name="phone" />
      <div class="small">
        <p>{wallet.guest}</p>
        <p class="soft">{wallet.guestMore}</p>
        <a class="link" href="/account" onClick={() => void (signMode.value = 'up')}>{wallet.makeAccount}</a>
      </div>
    </div>
  );
}

/** Coming back from a card, the focus lands on the row it was opened from. */
function useReturnedFocus(here: boolean): void {
  const last = useRef<string | undefined>(undefined);
  const at = path.value;
  useEffect(() => {
    const opened = last.current;
    if (here) forgetOrder();
    last.current = /^\/c\/([^/]+)/.exec(at)?.[1] ?? (here ? undefined : last.current);
    if (!here || !opened) return;
    document.querySelector<HTMLElement>(`.list [data-card="${CSS.escape(opened)}"]`)?.focus({ preventScroll: true });
  }, [at, here]);
}
