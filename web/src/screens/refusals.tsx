/** Edits the server refused, each with its data: kept as a new card, put right where a field was wrong, or let go. */
import { useState } from 'preact/hooks';
import { grouped } from '../codes/formats';
import { problemSentence, sentence, words } from '../messages';
import type { CardChanges, CardFields, Refusal } from '../model';
import { dismiss, retryAsNew } from '../wallet';
import { say } from './toasts';

export function Refusals({ refusals }: { readonly refusals: readonly Refusal[] }) {
  const said = words().sync;
  return (
    <section class="stack">
      <h3>{said.refusedTitle}</h3>
      <p class="soft small">{said.refusedMore}</p>
      {refusals.map((refusal) => <Refused key={refusal.key} refusal={refusal} />)}
    </section>
  );
}

const FIXABLE = ['name', 'number', 'pin', 'note', 'group'] as const;
type Fixable = (typeof FIXABLE)[number];

function Refused({ refusal }: { readonly refusal: Refusal }) {
  const said = words().sync;
  const data = dataOf(refusal);
  const [fixes, setFixes] = useState<Partial<Record<Fixable, string>>>({});
  const wrong = wrongFields(refusal);
  const asNew = () => retryAsNew(refusal, fixes as CardChanges)
    .then(() => say(words().confirm.kept), (error: unknown) => say(sentence(error)));
  return (
    <article class="refused stack" data-testid="refused">
      <p><strong>{said.name[refusal.name]}{data.name ? `: ${data.name}` : ''}</strong></p>
      <p class="fault">{problemSentence(refusal.problem.code)}</p>
      <Data data={data} />
      {wrong.map((field) => (
        <label key={field} class="field">
          <span class="label">{words().edit[field]}</span>
          <input class="input" value={fixes[field] ?? data[field] ?? ''}
            onInput={(event) => setFixes({ ...fixes, [field]: event.currentTarget.value })} />
        </label>
      ))}
      {refusal.copy && <button type="button" class="button wide" onClick={() => void asNew()}>{labelOf(refusal)}</button>}
      <button type="button" class="button quiet wide" onClick={() => void dismiss(refusal)}>{said.discard}</button>
    </article>
  );
}

/** Where the card is another's by now, what is kept is one's own. */
const NOT_OURS: readonly string[] = ['not-found', 'card-moved', 'view-only', 'not-yours', 'card-exists'];

function labelOf({ problem }: Refusal): string {
  const said = words().sync;
  return NOT_OURS.includes(problem.code) ? said.asOwn : said.asNew;
}

function wrongFields(refusal: Refusal): Fixable[] {
  const named = (refusal.problem.errors ?? []).map((error) => error.pointer.split('/').pop());
  return FIXABLE.filter((field) => named.includes(field));
}

function dataOf(refusal: Refusal): Partial<CardFields> {
  const { card, fields } = refusal.args as { card?: Partial<CardFields>; fields?: Partial<CardFields> };
  return refusal.copy ?? card ?? fields ?? {};
}

function Data({ data }: { readonly data: Partial<CardFields> }) {
  const { edit } = words();
  const lines: [label: string, value: string | undefined][] = [
    [edit.number, data.number && grouped(data.number)],
    [edit.codes, data.codes?.map((code) => code.text).join(', ')],
    [edit.pin, data.pin],
    [edit.note, data.note],
  ];
  return (
    <dl class="facts">
      {lines.map(([label, value]) => value && <div key={label}><dt>{label}</dt><dd class="numbers">{value}</dd></div>)}
    </dl>
  );
}
