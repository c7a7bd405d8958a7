/** Which screen is shown at which address, and what surrounds them all. */
import { effect } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import '../styles/base.css';
import '../styles/frame.css';
import '../styles/wallet.css';
import '../styles/till.css';
import { idle } from '../idle';
import { words } from '../messages';
import { path } from '../router';
import { Till } from '../till/till';
import { applyUpdate, updateReady } from '../update';
import { language } from '../wallet';
import { watchKeyboard } from './keyboard';
import { lazy, type Lazy } from './lazy';
import { Screen } from './screen';
import { say, Toasts } from './toasts';
import { Wallet } from './wallet';
import { wide } from './wide';

const Add = lazy(() => import('./add').then((module) => module.Add));
const Edit = lazy(() => import('./edit').then((module) => module.Edit));
const Bin = lazy(() => import('./bin').then((module) => module.Bin));
const Households = lazy(() => import('./households').then((module) => module.Households));
const HouseholdScreen = lazy(() => import('./household').then((module) => module.HouseholdScreen));
const Join = lazy(() => import('./join').then((module) => module.Join));
const Account = lazy(() => import('./account').then((module) => module.AccountScreen));
const Forgot = lazy(() => import('./forgot').then((module) => module.Forgot));
const OpenedLink = lazy(() => import('./opened-link').then((module) => module.OpenedLink));
const WaysIn = lazy(() => import('./ways-in').then((module) => module.WaysIn));
const Leaving = lazy(() => import('./leaving').then((module) => module.Leaving));
const OfShops = lazy(() => import('./of-shops').then((module) => module.OfShops));
const Reminders = lazy(() => import('./reminders').then((module) => module.Reminders));

effect(() => {
  document.documentElement.lang = language.value;
});

export function App() {
  useEffect(watchKeyboard, []);
  useUpdateOffer();
  const list = useList();
  return (
    <div class="frame">
      {list && <Wallet />}
      <Detail />
      <Toasts />
    </div>
  );
}

function Detail() {
  return screenAt(path.value);
}

/** The list that another screen of a phone covers is as much work as that screen: it comes when that one stands. */
function useList(): boolean {
  const wanted = path.value === '/' || wide.value;
  const [is, show] = useState(wanted);
  useEffect(() => void idle().then(() => show(true)), []);
  return is || wanted;
}

/** Asks for the code of the screen that is to be shown first; over when that is here or cannot be had. */
export async function begin(): Promise<void> {
  await (screenAt(path.peek()).type as Partial<Lazy<unknown>>).begin?.();
}

function screenAt(at: string): VNode {
  const card = /^\/c\/([\w-]+)(?:\/(edit|back|connect))?\/?$/.exec(at);
  if (card) return screenOf(card[1]!, card[2]);
  const household = /^\/households\/([\w-]+)\/?$/.exec(at);
  if (household) return <HouseholdScreen key={household[1]} id={household[1]!} />;
  if (at === '/households') return <Households />;
  if (at === '/join') return <Join />;
  if (at === '/add') return <Add />;
  if (at === '/bin') return <Bin />;
  if (at === '/ways') return <WaysIn />;
  if (at === '/forgot') return <Forgot />;
  if (['/confirm', '/reset', '/verify', '/signed-in'].includes(at)) return <OpenedLink key={at} />;
  if (at === '/leaving') return <Leaving />;
  if (at === '/offers' || at === '/connected') return <OfShops key={at} which={at} />;
  if (at === '/reminders') return <Reminders />;
  if (at === '/account' || at === '/settings') return <Account />;
  return at === '/' ? <Nothing /> : <NotFound />;
}

function screenOf(id: string, which: string | undefined): VNode {
  if (!which) return <Till key={id} id={id} />;
  return which === 'edit' ? <Edit key={id} id={id} /> : <OfShops key={`${which} ${id}`} which={which} id={id} />;
}

/** Beside the list, before a card is chosen; a phone shows the list alone. */
function Nothing() {
  return (
    <div class="pane empty-pane" role={wide.value ? 'main' : undefined}>
      <p class="placeholder">{words().wallet.pick}</p>
    </div>
  );
}

function NotFound() {
  const { app } = words();
  return <Screen title={app.notFound}><a class="button" href="/">{app.toWallet}</a></Screen>;
}

/**
 * A new release is offered, never forced: taking it reloads the page, so only from the wallet, where nothing is being
 * typed.
 */
function useUpdateOffer(): void {
  const offered = updateReady.value && path.value === '/';
  useEffect(() => {
    if (offered) say(words().app.update, { label: words().app.reload, run: applyUpdate });
  }, [offered]);
}
