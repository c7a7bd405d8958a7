/** How the person is reminded that cards end. Every change is kept at once; the browser is asked only after they turn it on. */
import { useSignal, type Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/forms.css';
import { Offline } from '../api';
import { timeZone } from '../country';
import { sentence } from '../messages';
import { NOTICES } from '../messages/notices';
import { PARTNERS } from '../messages/partners';
import { REMINDERS, type ReminderWords } from '../messages/reminders';
import {
  askPermission, CannotSubscribe, permission, reminders, tellHere, tellNoMore, wish, type Permission, type Quiet,
  type Reminders as Settings, type Wish,
} from '../reminders';
import { account, language, sync, wish as wishOffers, wishes } from '../wallet';
import { Screen } from './screen';
import { say } from './toasts';

const DAYS = [30, 14, 7, 3, 1, 0];
const NIGHT: Quiet = { from: '22:00', to: '09:00' };
const EXAMPLE_DAYS = 3;
const EXAMPLE_NAME = { ru: 'Магнит', en: 'Tesco' };

function said(): ReminderWords {
  return REMINDERS[language.value];
}

export function Reminders() {
  return (
    <Screen title={said().title}>
      <div class="narrow stack">
        <p class="soft small">{said().about}</p>
        {account.value ? <Account key={account.value.id} /> : <p>{said().guest}</p>}
      </div>
    </Screen>
  );
}

function Account() {
  const settings = useSignal<Settings | string | undefined>(undefined);
  const load = () => reminders().then((found) => (settings.value = found), (error: unknown) => {
    settings.value = error instanceof Offline ? said().offline : sentence(error);
  });
  const { state } = sync.value;
  useEffect(() => void load(), [state === 'offline', state === 'signed-out']);
  if (typeof settings.value === 'string') return <p role="status">{settings.value}</p>;
  return settings.value ? <Form settings={settings as Signal<Settings>} /> : null;
}

function Form({ settings }: { readonly settings: Signal<Settings> }) {
  const now = settings.value;
  const told = now.on || wishes.value.notices;
  const change = (changes: Partial<Wish>) => keep(settings, changes);
  const turn = async (on: boolean) => {
    // While the press still counts: a browser shows its question to nobody who has not just pressed something.
    const asked = on ? askPermission() : undefined;
    await change({ on, zone: timeZone() });
    if ((await asked) === 'granted' && settings.peek().on && !settings.peek().device) await tell(settings);
  };
  return (
    <>
      <Check testId="reminders-on" text={said().on} checked={now.on} onChange={(on) => void turn(on)} />
      <OfferNotices settings={settings} />
      {told && <Device settings={settings} />}
      {now.on && <When days={now.days} onChange={(days) => void change({ days })} />}
      {told && <Night now={now} onChange={(quiet) => void change({ quiet, zone: timeZone() })} />}
      {told && <Details checked={now.details} onChange={(details) => void change({ details })} />}
    </>
  );
}

/** Notices of shops' offers, off until somebody wants them. */
function OfferNotices({ settings }: { readonly settings: Signal<Settings> }) {
  const offers = PARTNERS[language.value];
  const turn = async (notices: boolean) => {
    const asked = notices ? askPermission() : undefined;
    await wishOffers({ notices }).catch((error: unknown) => say(sentence(error)));
    // Where the person lives is when their night is: without it the server sends nothing.
    if (notices) await keep(settings, { zone: timeZone() });
    if ((await asked) === 'granted' && !settings.peek().device) await tell(settings);
  };
  return (
    <div class="block">
      <Check testId="offers-on" text={offers.noticesOn} checked={wishes.value.notices} onChange={(on) => void turn(on)} />
      <p class="hint">{offers.noticesMore}</p>
    </div>
  );
}

let saving = Promise.resolve();

/** Shows the change at once, and takes it back should the server not have it. */
function keep(settings: Signal<Settings>, changes: Partial<Wish>): Promise<void> {
  const before = settings.peek();
  settings.value = { ...before, ...changes };
  // One after the other: of two on their way at once the earlier might arrive last, and would stay.
  saving = saving.then(() => send(settings, before));
  return saving;
}

async function send(settings: Signal<Settings>, before: Settings): Promise<void> {
  try {
    const kept = await wish(settings.peek());
    settings.value = { ...settings.peek(), device: kept.device };
  } catch (error) {
    settings.value = await reminders().catch(() => before);
    say(sentence(error));
  }
}

async function tell(settings: Signal<Settings>): Promise<void> {
  try {
    await tellHere(settings.peek().key);
    settings.value = { ...settings.peek(), device: true };
  } catch (error) {
    say(error instanceof CannotSubscribe ? said().failed : sentence(error));
  }
}

function Device({ settings }: { readonly settings: Signal<Settings> }) {
  const may = useSignal<Permission>(permission());
  const here = may.value === 'granted' && settings.value.device;
  const ask = async () => {
    may.value = await askPermission();
    if (may.value === 'granted') await tell(settings);
  };
  const stop = () => tellNoMore().then(
    () => (settings.value = { ...settings.peek(), device: false }), (error: unknown) => say(sentence(error)),
  );
  // The permission may have been given or taken in the browser's own settings meanwhile.
  useEffect(() => {
    const look = () => (may.value = permission());
    addEventListener('focus', look);
    look();
    return () => removeEventListener('focus', look);
  }, [settings.value.device]);
  return (
    <section class="stack block" aria-live="polite">
      <h2>{said().device}</h2>
      <p class="small">{here ? said().told : words(may.value)}</p>
      {here && <Button text={said().tellNoMore} testId="tell-no-more" onClick={stop} />}
      {!here && (may.value === 'default' || may.value === 'granted')
        && <Button text={said().tell} testId="tell-here" onClick={ask} main />}
    </section>
  );
}

function words(may: Permission): string {
  if (may === 'denied') return said().denied;
  if (may === 'unsupported') return isApple() ? said().addToHome : said().unsupported;
  return said().notTold;
}

/** Where notices come to installed apps only. */
function isApple(): boolean {
  return /iPhone|iPad/.test(navigator.userAgent);
}

interface ButtonProps {
  readonly text: string;
  readonly testId: string;
  readonly main?: boolean;
  readonly onClick: () => Promise<unknown>;
}

function Button({ text, testId, main = false, onClick }: ButtonProps) {
  const working = useSignal(false);
  const press = async () => {
    working.value = true;
    await onClick();
    working.value = false;
  };
  return (
    <button type="button" class={`button ${main ? 'main' : 'wide'}`} data-testid={testId} disabled={working.value}
      onClick={() => void press()}>
      {text}
    </button>
  );
}

function When({ days, onChange }: { readonly days: readonly number[]; readonly onChange: (days: number[]) => void }) {
  const toggle = (day: number) => {
    const next = days.includes(day) ? days.filter((one) => one !== day) : [...days, day];
    // Without a day left there would be nothing to turn on.
    if (next.length) onChange(next.sort((one, other) => other - one));
  };
  return (
    <section class="stack block">
      <h2 id="when">{said().when}</h2>
      <div class="chips" role="group" aria-labelledby="when">
        {DAYS.map((day) => (
          <button key={day} type="button" class="chip" data-testid={`day-${day}`} aria-pressed={days.includes(day)}
            onClick={() => toggle(day)}>
            {said().before(day)}
          </button>
        ))}
      </div>
    </section>
  );
}

interface NightProps { readonly now: Wish; readonly onChange: (quiet: Quiet | null) => void }

function Night({ now: { quiet, zone }, onChange }: NightProps) {
  const set = (changes: Partial<Quiet>) => {
    const next = { ...(quiet ?? NIGHT), ...changes };
    if (next.from === next.to) say(said().quietWrong);
    else if (next.from && next.to) onChange(next);
  };
  return (
    <section class="stack block">
      <Check testId="quiet" text={said().quiet} checked={quiet !== null} onChange={(on) => onChange(on ? NIGHT : null)} />
      {quiet && (
        <div class="pair">
          <Clock id="quiet-from" label={said().from} value={quiet.from} onChange={(from) => set({ from })} />
          <Clock id="quiet-to" label={said().to} value={quiet.to} onChange={(to) => set({ to })} />
        </div>
      )}
      {quiet && <p class="hint">{said().zone(zone)}</p>}
    </section>
  );
}

interface ClockProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Clock({ id, label, value, onChange }: ClockProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input class="input" id={id} type="time" value={value} required
        onChange={(event) => onChange(event.currentTarget.value)} />
    </div>
  );
}

interface CheckedProps { readonly checked: boolean; readonly onChange: (checked: boolean) => void }

function Details({ checked, onChange }: CheckedProps) {
  const name = checked ? EXAMPLE_NAME[language.value] : undefined;
  const notice = NOTICES[language.value].cardEnds(EXAMPLE_DAYS, name);
  return (
    <div class="block">
      <Check testId="details" text={said().details} checked={checked} onChange={onChange} />
      <p class="hint">{said().example(notice)}</p>
    </div>
  );
}

interface CheckProps extends CheckedProps { readonly testId: string; readonly text: string }

function Check({ testId, text, checked, onChange }: CheckProps) {
  return (
    <label class="check">
      <input type="checkbox" data-testid={testId} checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)} />
      {text}
    </label>
  );
}
