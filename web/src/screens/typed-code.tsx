/** A code typed by hand: its symbology guessed and changeable, drawn as one types. */
import { Preview } from '../codes/preview';
import { FORMAT_NAMES, looksMistyped, OFFERED } from '../codes/formats';
import { words } from '../messages';
import type { Code, Format } from '../model';
import type { Change, NewCard } from './confirm';

interface TypedCodeProps {
  readonly card: NewCard;
  readonly code: Code | undefined;
  readonly fault?: string | undefined;
  readonly onChange: Change;
}

const NONE = 'none';

export function TypedCode({ card, code, fault, onChange }: TypedCodeProps) {
  const { confirm, misfit } = words();
  const shown = card.format === null ? NONE : (card.format ?? code?.format ?? '');
  const choose = (value: string) => {
    onChange({ format: value === NONE ? null : ((value || undefined) as Format | undefined) });
  };
  return (
    <>
      {card.typed !== undefined && card.format !== null && (
        <div class="field">
          <label for="code-text">{confirm.code}</label>
          <input class="input numbers" id="code-text" data-testid="code-text" autocomplete="off" spellcheck={false}
            value={card.typed}
            onInput={(event) => onChange({ typed: event.currentTarget.value })} />
        </div>
      )}
      <div class="field">
        <label for="format">{confirm.format}</label>
        <select class="select" id="format" data-testid="format" value={shown} aria-invalid={fault ? true : undefined}
          onChange={(event) => choose(event.currentTarget.value)}>
          <option value="">{confirm.guess}</option>
          {OFFERED.map((format) => <option key={format} value={format}>{FORMAT_NAMES[format]}</option>)}
          <option value={NONE}>{confirm.noCode}</option>
        </select>
      </div>
      {card.format === undefined && code && looksMistyped(code.text) && (
        <p class="hint" role="status" data-testid="mistyped">{misfit.check}</p>
      )}
      {card.format !== null && <Preview code={code} />}
      {card.format !== null && (
        <label class="check small">
          <input type="checkbox" data-testid="code-other" checked={card.typed !== undefined}
            onChange={(event) => onChange({ typed: event.currentTarget.checked ? (code?.text ?? '') : undefined })} />
          {confirm.codeOther}
        </label>
      )}
    </>
  );
}
