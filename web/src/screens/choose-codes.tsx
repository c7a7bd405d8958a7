/** Several codes in one photo: the person says which is the card's; others may stay with it. */
import { useSignal } from '@preact/signals';
import { keyOf, showing, type Capture, type FoundCode } from '../capture/capture';
import { crop } from '../capture/photo';
import { FORMAT_NAMES } from '../codes/formats';
import { words } from '../messages';
import { Screen } from './screen';
import { useMadeUrl } from './url';

interface ChooseProps { readonly capture: Capture; readonly onChosen: (capture: Capture) => void }

export function ChooseCodes({ capture, onChosen }: ChooseProps) {
  const { add, confirm } = words();
  const chosen = useSignal(keyOf(capture.codes[0]!));
  const also = useSignal<ReadonlySet<string>>(new Set());
  const go = () => {
    const first = capture.codes.filter((code) => keyOf(code) === chosen.value);
    const others = capture.codes.filter((code) => keyOf(code) !== chosen.value && also.value.has(keyOf(code)));
    onChosen(showing({ ...capture, codes: [...first, ...others] }));
  };
  return (
    <Screen title={confirm.title}
      foot={<button type="button" class="button main" data-testid="choose" onClick={go}>{add.choose}</button>}>
      <div class="narrow stack">
        <p>{add.several}</p>
        <CodeChoice capture={capture} chosen={chosen.value} also={also.value}
          onChosen={(code) => (chosen.value = keyOf(code))} onAlso={(next) => (also.value = next)} />
      </div>
    </Screen>
  );
}

interface CodeChoiceProps {
  readonly capture: Capture;
  /** Keys of codes. */
  readonly chosen: string | undefined;
  readonly also: ReadonlySet<string>;
  readonly onChosen: (code: FoundCode) => void;
  readonly onAlso: (also: ReadonlySet<string>) => void;
}

/** The codes found, each with its piece of the photo. */
export function CodeChoice({ capture, chosen, also, onChosen, onAlso }: CodeChoiceProps) {
  const { add } = words();
  const toggle = (key: string) => {
    const next = new Set(also);
    if (!next.delete(key)) next.add(key);
    onAlso(next);
  };
  return (
    <>
      {capture.codes.map((code) => {
        const key = keyOf(code);
        return (
          <div key={key}>
            <button type="button" class="chip found-code" data-testid="found-code" aria-pressed={key === chosen}
              onClick={() => onChosen(code)}>
              <Piece capture={capture} code={code} />
              <span>{FORMAT_NAMES[code.format]}<small class="numbers">{code.text}</small></span>
            </button>
            {key !== chosen && (
              <label class="check small">
                <input type="checkbox" data-testid="keep-too" checked={also.has(key)} onChange={() => toggle(key)} />
                {add.keepToo}
              </label>
            )}
          </div>
        );
      })}
    </>
  );
}

function Piece({ capture: { photos }, code }: { readonly capture: Capture; readonly code: FoundCode }) {
  const photo = photos[code.photo ?? 0];
  const url = useMadeUrl(() => (photo && code.box ? crop(photo, code.box) : undefined), photo, code);
  return url ? <img src={url} alt={words().confirm.crop} /> : null;
}
