/** Everything a person can change on a card; only what was changed is written. */
import { useSignal } from '@preact/signals';
import { useMemo, useRef, useState } from 'preact/hooks';
import '../styles/forms.css';
import { problemSentence, sentence, words } from '../messages';
import { PARTNERS } from '../messages/partners';
import type { Card } from '../model';
import { leave } from '../router';
import { cards, language, mayEdit, set } from '../wallet';
import { CodeList } from './code-list';
import { ColourField } from './colour-field';
import { faultsOf, type EditFaults } from './edit-faults';
import { changesOf, editOf, isAnother, relinked, renumbered, type Edit as EditOf } from './edit-fields';
import { focusFault } from './focus-fault';
import { useGuard } from './guard';
import { PhotoSlots, type NewPhotos } from './photo-slots';
import { Screen } from './screen';
import { ShopBox } from './shop-box';
import { say } from './toasts';

export function Edit({ id }: { readonly id: string }) {
  const first = useRef<Card | undefined>(undefined);
  const { till } = words();
  // The card as first seen: what comes from another device meanwhile, the bin included, leaves the form alone, since
  // fields merge one by one.
  const now = cards.value.find((one) => one.id === id);
  if (now && mayEdit(now)) first.current ??= now;
  if (first.current) return <EditForm card={first.current} />;
  return now
    ? <OnlyLooks card={now} />
    : <Screen title={till.gone}><p>{till.goneMore}</p></Screen>;
}

function OnlyLooks({ card: { id, name } }: { readonly card: Card }) {
  return (
    <Screen title={name}>
      <div class="narrow stack">
        <p data-testid="view-only">{problemSentence('view-only')}</p>
        <a class="button" href={`/c/${id}`} data-replace>{words().wallet.show}</a>
      </div>
    </Screen>
  );
}

function EditForm({ card }: { readonly card: Card }) {
  const { edit: said } = words();
  const [edit, setEdit] = useState<EditOf>(() => editOf(card));
  const [photos, setPhotos] = useState<NewPhotos>({});
  const taking = useSignal(0);
  const faults = useSignal<EditFaults>({});
  const saving = useSignal(false);
  const form = useRef<HTMLFormElement>(null);
  const changes = useMemo(() => changesOf(card, edit), [edit]);
  const dirty = Object.keys(changes).length > 0 || Object.keys(photos).length > 0;
  const asking = useGuard(dirty, {
    title: said.title, text: said.unsaved, leave: said.leave, fallback: `/c/${card.id}`,
  });
  const change = (next: Partial<EditOf>) => setEdit((now) => ({ ...now, ...next }));
  const submit = async (event: Event) => {
    event.preventDefault();
    // A photo that is still being opened would be left out.
    if (saving.value || taking.value) return;
    faults.value = faultsOf(edit);
    if (Object.keys(faults.value).length) return focusFault(form.current!);
    if (!dirty) return leave(`/c/${card.id}`);
    saving.value = true;
    await save(card, changes, photos).catch((error: unknown) => {
      saving.value = false;
      say(sentence(error));
    });
  };
  return (
    <Screen title={said.title}
      foot={
        <button type="submit" form="edit" class="button main" data-testid="save" disabled={saving.value || taking.value > 0}>
          {said.save}
        </button>
      }>
      <form id="edit" class="narrow stack" ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <ShopBox label={said.name} shop={edit.shop} fault={faults.value.name}
          onChange={(shop) => change({ shop: relinked(card, shop) })} />
        <Line name="number" label={said.number} value={edit.number} max={64}
          onInput={(number) => change(renumbered(card, edit, number))} />
        <p class="hint" role="status" data-testid="ends-link">
          {card.live && isAnother(card, edit) && PARTNERS[language.value].endsLink}
        </p>
        <CodeList codes={edit.codes} faults={faults.value.codes ?? {}} onChange={(codes) => change({ codes })} />
        <Balance edit={edit} fault={faults.value.balance} onChange={change} />
        <Dates edit={edit} fault={faults.value.dates} onChange={change} />
        <Line name="pin" label={said.pin} value={edit.pin} max={32} onInput={(pin) => change({ pin })} />
        <Line name="group" label={said.group} value={edit.group} max={40} onInput={(group) => change({ group })} />
        <div class="field">
          <label for="note">{said.note}</label>
          <textarea id="note" class="area" data-testid="note" maxLength={2000} value={edit.note}
            onInput={(event) => change({ note: event.currentTarget.value })} />
        </div>
        <ColourField name={edit.shop} colour={edit.colour} onChange={(colour) => change({ colour })} />
        <Tick name="favourite" label={said.favourite} checked={edit.favourite}
          onChange={(favourite) => change({ favourite })} />
        <Tick name="archived" label={said.archived} checked={edit.archived}
          onChange={(archived) => change({ archived })} />
        <PhotoSlots edit={edit} photos={photos} onPhotos={setPhotos} onChange={change}
          onTaking={(more) => (taking.value += more)} />
      </form>
      {asking}
    </Screen>
  );
}

async function save(card: Card, changes: ReturnType<typeof changesOf>, photos: NewPhotos): Promise<void> {
  await set(card.id, changes, photos);
  say(words().edit.saved);
  leave(`/c/${card.id}`);
}

interface LineProps {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly max: number;
  readonly onInput: (value: string) => void;
}

function Line({ name, label, value, max, onInput }: LineProps) {
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input class="input numbers" id={name} data-testid={name} autocomplete="off" maxLength={max} value={value}
        onInput={(event) => onInput(event.currentTarget.value)} />
    </div>
  );
}

interface TickProps {
  readonly name: string;
  readonly label: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
}

function Tick({ name, label, checked, onChange }: TickProps) {
  return (
    <label class="check">
      <input type="checkbox" data-testid={name} checked={checked}
        onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

interface PartProps {
  readonly edit: EditOf;
  readonly fault?: string | undefined;
  readonly onChange: (next: Partial<EditOf>) => void;
}

const UNITS = ['points', 'RUB', 'EUR', 'USD', 'GBP', 'KZT', 'BYN', 'UAH', 'TRY'];

function Balance({ edit, fault, onChange }: PartProps) {
  const { edit: said } = words();
  return (
    <div class="field">
      <div class="pair">
        <div class="field">
          <label for="balance">{said.balance}</label>
          <input class="input numbers" id="balance" data-testid="balance" inputmode="decimal" autocomplete="off"
            value={edit.balance}
            aria-invalid={fault ? true : undefined} aria-describedby={fault ? 'balance-fault' : undefined}
            onInput={(event) => onChange({ balance: event.currentTarget.value })} />
        </div>
        <div class="field">
          <label for="unit">{said.unit}</label>
          <select class="select" id="unit" data-testid="unit" value={edit.unit}
            onChange={(event) => onChange({ unit: event.currentTarget.value })}>
            {[...new Set([...UNITS, edit.unit])].map((unit) => (
              <option key={unit} value={unit}>{unit === 'points' ? said.points : unit}</option>
            ))}
          </select>
        </div>
      </div>
      {fault && <p class="fault" id="balance-fault">{fault}</p>}
    </div>
  );
}

function Dates({ edit, fault, onChange }: PartProps) {
  const { edit: said } = words();
  return (
    <div class="field">
      <div class="pair">
        <div class="field">
          <label for="valid-from">{said.validFrom}</label>
          <input class="input" type="date" id="valid-from" data-testid="valid-from" value={edit.validFrom}
            onInput={(event) => onChange({ validFrom: event.currentTarget.value })} />
        </div>
        <div class="field">
          <label for="expires-on">{said.expiresOn}</label>
          <input class="input" type="date" id="expires-on" data-testid="expires-on" value={edit.expiresOn}
            aria-invalid={fault ? true : undefined}
            aria-describedby={fault ? 'dates-fault' : undefined}
            onInput={(event) => onChange({ expiresOn: event.currentTarget.value })} />
        </div>
      </div>
      {fault && <p class="fault" id="dates-fault">{fault}</p>}
    </div>
  );
}
