/** The shared pockets a person is in, and making a new one. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import '../styles/forms.css';
import { make } from '../households';
import { Icon } from '../icons';
import { sentence } from '../messages';
import { HOUSEHOLDS, type HouseholdWords } from '../messages/households';
import { go } from '../router';
import { account, cards, households, language } from '../wallet';
import { NameField } from './name-field';
import { Screen } from './screen';
import { say } from './toasts';

export function Households() {
  const said = HOUSEHOLDS[language.value];
  return (
    <Screen title={said.title}>
      <div class="narrow stack">
        <p class="soft">{said.about}</p>
        {account.value ? <><List said={said} /><Make said={said} /></> : <NeedsAccount said={said} />}
      </div>
    </Screen>
  );
}

interface Said { readonly said: HouseholdWords }

function NeedsAccount({ said }: Said) {
  return (
    <>
      <p>{said.needsAccount}</p>
      <a class="button main" href="/account">{said.toAccount}</a>
    </>
  );
}

function List({ said }: Said) {
  if (!households.value.length) return null;
  return (
    <ul class="rows">
      {households.value.map(({ id, name, members }) => (
        <li key={id}>
          <a class="row row-flush" href={`/households/${id}`} data-testid="household">
            <Icon name="people" />
            <span class="row-name">
              {name}
              <small class="soft tiny row-under">{`${said.people(members.length)} · ${said.cards(cardsIn(id))}`}</small>
            </span>
            <Icon name="forward" />
          </a>
        </li>
      ))}
    </ul>
  );
}

function cardsIn(space: string): number {
  return cards.value.filter((card) => card.space === space).length;
}

function Make({ said }: Said) {
  const form = useRef<HTMLFormElement>(null);
  const working = useSignal(false);
  const faults = useSignal<readonly string[]>([]);
  const submit = async (event: Event) => {
    event.preventDefault();
    const [name, own] = ['name', 'own-name'].map((field) => valueOf(form.current!, field));
    faults.value = [...(name ? [] : ['name']), ...(own ? [] : ['own-name'])];
    if (!name || !own) return;
    working.value = true;
    await make(name, own).then((id) => go(`/households/${id}`), (error: unknown) => say(sentence(error)));
    working.value = false;
  };
  const fault = (field: string) => (faults.value.includes(field) ? said.missing : undefined);
  return (
    <form class="stack block" ref={form} noValidate onSubmit={(event) => void submit(event)}>
      <h2>{said.makeTitle}</h2>
      <NameField id="name" label={said.name} hint={said.nameHint} fault={fault('name')} />
      <NameField id="own-name" label={said.ownName} hint={said.ownNameHint} fault={fault('own-name')} />
      <button type="submit" class="button main" data-testid="make-household" disabled={working.value}>
        {working.value ? said.working : said.make}
      </button>
    </form>
  );
}

function valueOf(form: HTMLFormElement, name: string): string {
  return (form.elements.namedItem(name) as HTMLInputElement).value.trim();
}
