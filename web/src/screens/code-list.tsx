/** The codes of a card being edited: text and symbology of each, drawn as one types. */
import { isText } from '../codes/bytes';
import { FORMAT_NAMES, guess, OFFERED } from '../codes/formats';
import { Preview } from '../codes/preview';
import { words } from '../messages';
import type { Code, Format } from '../model';
import { retyped } from './edit-fields';

interface CodeListProps {
  readonly codes: readonly Code[];
  readonly faults: Record<number, string>;
  readonly onChange: (codes: readonly Code[]) => void;
}

const MOST = 8;

export function CodeList({ codes, faults, onChange }: CodeListProps) {
  const { edit } = words();
  const replace = (i: number, code: Code) => onChange(codes.map((one, at) => (at === i ? code : one)));
  const add = () => onChange([...codes, { format: 'code_128', text: '', raw: '' }]);
  return (
    <fieldset class="stack">
      <legend class="label soft small">{edit.codes}</legend>
      {codes.map((code, i) => (
        <CodeEdit key={i} code={code} n={i + 1} fault={faults[i]} onChange={(next) => replace(i, next)}
          onRemove={() => onChange(codes.filter((_one, at) => at !== i))} />
      ))}
      {codes.length < MOST && (
        <button type="button" class="button" data-testid="add-code" onClick={add}>{edit.addCode}</button>
      )}
    </fieldset>
  );
}

interface CodeEditProps {
  readonly code: Code;
  readonly n: number;
  readonly fault?: string | undefined;
  readonly onChange: (code: Code) => void;
  readonly onRemove: () => void;
}

function CodeEdit({ code, n, fault, onChange, onRemove }: CodeEditProps) {
  const { edit } = words();
  const plain = !code.text || isText(code);
  const type = (text: string) => {
    const guessed = code.text ? code : { ...code, format: guess(text)[0] ?? code.format };
    onChange(retyped(guessed, text));
  };
  return (
    <div class="code-edit">
      <Preview code={code.text ? code : undefined} />
      {plain
        ? <input class="input numbers" aria-label={edit.codeText(n)} data-testid={`code-text-${n}`} autocomplete="off"
            spellcheck={false} value={code.text}
            aria-invalid={fault ? true : undefined} onInput={(event) => type(event.currentTarget.value)} />
        : <p class="small soft">{edit.binary}</p>}
      <select class="select" aria-label={edit.codeFormat(n)} data-testid={`code-format-${n}`} value={code.format}
        onChange={(event) => onChange({ ...code, format: event.currentTarget.value as Format })}>
        {OFFERED.map((format) => <option key={format} value={format}>{FORMAT_NAMES[format]}</option>)}
      </select>
      {fault && <p class="fault">{fault}</p>}
      <button type="button" class="link" onClick={onRemove}>{edit.removeCode(n)}</button>
    </div>
  );
}
