/** What the server holds of a person: to take along as one file, or to delete for good. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import '../styles/forms.css';
import { ApiProblem, Offline } from '../api';
import { Icon } from '../icons';
import { deleteAccount, hasPassword, takeEverything } from '../leaving';
import { sentence } from '../messages';
import { LEAVING, type LeavingWords } from '../messages/leaving';
import { go } from '../router';
import { account, binned, cards, language, sync } from '../wallet';
import { focusFault } from './focus-fault';
import { Screen } from './screen';
import { say } from './toasts';

const MEGABYTE = 1_000_000;
const KILOBYTE = 1_000;

function said(): LeavingWords {
  return LEAVING[language.value];
}

export function Leaving() {
  const signedIn = account.value !== null;
  useEffect(() => {
    if (!signedIn) go('/account', { replace: true });
  }, [signedIn]);
  return (
    <Screen title={said().title}>
      {signedIn && <div class="narrow stack"><Take /><Delete /></div>}
    </Screen>
  );
}

function Take() {
  const bytes = useSignal<number | undefined>(undefined);
  const done = useSignal('');
  const stopping = useRef<AbortController | null>(null);
  const take = async () => {
    const stop = (stopping.current = new AbortController());
    [bytes.value, done.value] = [0, ''];
    try {
      const archive = await takeEverything((come) => (bytes.value = come), stop.signal);
      save(archive);
      done.value = said().taken(size(archive.size));
    } catch (error) {
      if (!stop.signal.aborted) say(error instanceof Offline && bytes.peek() ? said().broken : sentence(error));
    }
    bytes.value = undefined;
  };
  useEffect(() => () => stopping.current?.abort(), []);
  return (
    <section class="stack block">
      <h2>{said().takeTitle}</h2>
      <p class="small">{said().take}</p>
      <p class="small numbers" role="status">
        {bytes.value === undefined ? done.value : said().taking(size(bytes.value))}
      </p>
      {bytes.value === undefined
        ? <button type="button" class="button wide" data-testid="take" onClick={() => void take()}>{said().takeButton}</button>
        : <button type="button" class="button wide" onClick={() => stopping.current?.abort()}>{said().cancel}</button>}
    </section>
  );
}

function size(bytes: number): string {
  const [amount, unit] = bytes < MEGABYTE ? [bytes / KILOBYTE, 'kilobyte'] : [bytes / MEGABYTE, 'megabyte'];
  return new Intl.NumberFormat(language.peek(), { style: 'unit', unit, maximumFractionDigits: bytes < MEGABYTE ? 0 : 1 })
    .format(amount);
}

function save(archive: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(archive);
  link.download = `karman-${new Date().toISOString().slice(0, 10)}.zip`;
  link.click();
  // The browser still reads it when the click has returned.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function Delete() {
  const keeps = useSignal(false);
  const fault = useSignal('');
  const working = useSignal(false);
  const asks = useSignal(true);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => void hasPassword().then((has) => (asks.value = has), () => undefined), []);
  const submit = async (event: Event) => {
    event.preventDefault();
    const typed = form.current!.elements.namedItem('password') as HTMLInputElement | null;
    fault.value = typed?.value === '' ? said().passwordMissing : '';
    if (fault.value) return focusFault(form.current!);
    working.value = true;
    fault.value = await attempt(typed?.value ?? null, keeps.peek());
    working.value = false;
  };
  return (
    <form class="stack block" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <h2>{said().deleteTitle}</h2>
      <WhatGoes />
      <fieldset class="stack">
        <legend class="small soft">{said().here}</legend>
        <Choice text={said().wipe} checked={!keeps.value} onChoose={() => (keeps.value = false)} testId="wipe" />
        <Choice text={said().keep} more={said().keepMore} checked={keeps.value} onChoose={() => (keeps.value = true)}
          testId="keep" />
      </fieldset>
      {asks.value ? <Password fault={fault.value} /> : <p class="fault" role="alert">{fault.value}</p>}
      <button type="submit" class="button danger wide" data-testid="delete-account" disabled={working.value}>
        {working.value ? said().deleting : said().deleteButton}
      </button>
    </form>
  );
}

function WhatGoes() {
  const shown = [...cards.value, ...binned.value];
  const home = account.value?.space;
  const own = shown.filter(({ space }) => space === home);
  return (
    <ul class="stack small plain">
      <li>{said().goes(own.length)}</li>
      <li>{said().devices}</li>
      {own.length < shown.length && <li>{said().shared}</li>}
      {sync.value.waiting > 0 && <li><Icon name="alert" /> {said().unsent(sync.value.waiting)}</li>}
    </ul>
  );
}

/** What went wrong, in words; nothing where all went well. */
async function attempt(password: string | null, keep: boolean): Promise<string> {
  try {
    await deleteAccount(password, { keep });
    say(said().deleted);
    go('/', { replace: true });
    return '';
  } catch (error) {
    if (error instanceof ApiProblem && error.code === 'proof-needed') return said().proofNeeded;
    if (error instanceof ApiProblem || !navigator.onLine) return sentence(error);
    return error instanceof Offline ? said().unknown : sentence(error);
  }
}

interface ChoiceProps {
  readonly text: string;
  readonly more?: string;
  readonly checked: boolean;
  readonly testId: string;
  readonly onChoose: () => void;
}

function Choice({ text, more, checked, testId, onChoose }: ChoiceProps) {
  return (
    <label class="check">
      <input type="radio" name="here" checked={checked} data-testid={`here-${testId}`} onChange={onChoose} />
      <span>{text}{more && <small class="soft tiny row-under">{more}</small>}</span>
    </label>
  );
}

function Password({ fault }: { readonly fault: string }) {
  return (
    <div class="field">
      <label for="leaving-password">{said().password}</label>
      <input class="input" id="leaving-password" name="password" type="password" autocomplete="current-password" required
        data-testid="leaving-password" aria-invalid={fault ? true : undefined} aria-describedby="leaving-said" />
      <p id="leaving-said" class={fault ? 'fault' : 'hint'} role={fault ? 'alert' : undefined}>
        {fault || said().passwordWhy}
      </p>
    </div>
  );
}
