/** Several codes in one photo: the person says which is the card's; others may stay with it. */
import { useSignal } from '@preact/signals';
import type { Capture } from '../capture/capture';
import { crop } from '../capture/photo';
import { FORMAT_NAMES } from '../codes/formats';
import { words } from '../messages';
import type { CodeReading } from '../model';
import { Screen } from './screen';
import { useMadeUrl } from './url';

interface ChooseProps { readonly capture: Capture; readonly onChosen: (capture: Capture) => void }

export function ChooseCodes({ capture, onChosen }: ChooseProps) {
  const { add, confirm } = words();
  const chosen = useSignal(0);
  const also = useSignal<ReadonlySet<number>>(new Set());
  const toggle = (i: number) => {
    const next = new Set(also.value);
    if (!next.delete(i)) next.add(i);
    also.value = next;
  };
  const go = () => {
    const others = capture.codes.filter((_code, i) => i !== chosen.value && also.value.has(i));
    onChosen({ ...capture, codes: [capture.codes[chosen.value]!, ...others] });
  };
  return (
    <Screen title={confirm.title}
      foot={<button type="button" class="button main" data-testid="choose" onClick={go}>{add.choose}</button>}>
      <div class="narrow stack">
        <p>{add.several}</p>
        {capture.codes.map((code, i) => (
          <div key={i}>
            <button type="button" class="chip found-code" data-testid="found-code" aria-pressed={i === chosen.value}
              onClick={() => (chosen.value = i)}>
              <Piece capture={capture} code={code} />
              <span>{FORMAT_NAMES[code.format]}<small class="numbers">{code.text}</small></span>
            </button>
            {i !== chosen.value && (
              <label class="check small">
                <input type="checkbox" checked={also.value.has(i)} onChange={() => toggle(i)} />{add.keepToo}
              </label>
            )}
          </div>
        ))}
      </div>
    </Screen>
  );
}

function Piece({ capture: { photo }, code }: { readonly capture: Capture; readonly code: CodeReading }) {
  const url = useMadeUrl(() => (photo && code.box ? crop(photo, code.box) : undefined), code);
  return url ? <img src={url} alt={words().confirm.crop} /> : null;
}
