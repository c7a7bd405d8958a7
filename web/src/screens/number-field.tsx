/** The number as printed, beside the piece of the photo it can be compared with. Offered, never filled in. */
import { useSignal } from '@preact/signals';
import type { Capture } from '../capture/capture';
import { crop } from '../capture/photo';
import { captureWords } from '../capture/words';
import { grouped } from '../codes/formats';
import { percent, words } from '../messages';
import type { Draft } from '../model';
import type { Change, NewCard } from './confirm';
import { useMadeUrl } from './url';

interface NumberFieldProps {
  readonly card: NewCard;
  readonly capture: Capture;
  readonly draft: Draft | undefined;
  /** Said in place of the hint. */
  readonly said?: string | undefined;
  readonly onChange: Change;
}

export function NumberField({ card, capture, draft, said, onChange }: NumberFieldProps) {
  const { confirm } = words();
  const seen = card.number.trim() ? undefined : draft?.number;
  return (
    <div class="field with-crop">
      <label for="number">{confirm.number}</label>
      <Piece capture={capture} />
      <div class="number-box">
        <input class="input numbers" id="number" data-testid="number" autocomplete="off" autocapitalize="characters"
          spellcheck={false} maxLength={64}
          enterkeyhint="done" aria-describedby="number-hint" value={card.number}
          onInput={(event) => onChange({ number: event.currentTarget.value })} />
        {seen && <Seen number={seen} onTake={() => onChange({ number: seen.text })} />}
      </div>
      <p class={said ? 'fault' : 'hint'} id="number-hint" role="status">
        {said ?? (card.read ? confirm.numberHintRead : confirm.numberHint)}
      </p>
      <InCode card={card} seen={draft?.number?.text} onChange={onChange} />
    </div>
  );
}

interface SeenProps { readonly number: NonNullable<Draft['number']>; readonly onTake: () => void }

/** In the field itself, since who is in a hurry overlooks what stands below. */
function Seen({ number: { text, confidence }, onTake }: SeenProps) {
  const said = captureWords();
  return (
    <button type="button" class="number-seen" id="number-seen" data-testid="number-seen" aria-describedby="number-hint"
      onClick={onTake}>
      <span>
        <span class="numbers">{grouped(text)}</span>
        <small class="soft tiny row-under">{said.numberSeen(words().confirm.sure(percent(confidence)))}</small>
      </span>
      <span class="number-take">{said.take}</span>
    </button>
  );
}

interface InCodeProps { readonly card: NewCard; readonly seen: string | undefined; readonly onChange: Change }

function InCode({ card: { read, number }, seen, onChange }: InCodeProps) {
  const inCode = read && read.text.length <= 64 && read.text !== seen ? read.text : undefined;
  if (number || !inCode) return null;
  return (
    <div class="chips">
      <button type="button" class="chip numbers" data-testid="number-same" onClick={() => onChange({ number: inCode })}>
        {words().confirm.numberSame(inCode)}
      </button>
    </div>
  );
}

/** Where the code lies in the photo; a tap shows the whole of it, for numbers printed elsewhere. */
function Piece({ capture: { photo, codes } }: { readonly capture: Capture }) {
  const { confirm } = words();
  const box = codes[0]?.box;
  const asked = useSignal(false);
  const wide = asked.value || !box;
  const url = useMadeUrl(() => photo && crop(photo, wide ? whole(photo) : box), photo, box, wide);
  if (!photo) return null;
  return (
    <button type="button" class="crop" disabled={!box} aria-label={wide ? confirm.showCode : confirm.showWhole}
      onClick={() => (asked.value = !asked.value)}>
      {url && <img src={url} alt={confirm.crop} />}
    </button>
  );
}

function whole({ width, height }: { readonly width: number; readonly height: number }): (readonly [number, number])[] {
  return [[0, 0], [width, height]];
}
