/** The number as printed, beside the piece of the photo it can be compared with. Offered, never filled in. */
import { useSignal } from '@preact/signals';
import type { Capture } from '../capture/capture';
import { crop } from '../capture/photo';
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
  return (
    <div class="field with-crop">
      <label for="number">{confirm.number}</label>
      <Piece capture={capture} />
      <input class="input numbers" id="number" data-testid="number" autocomplete="off" autocapitalize="characters"
        spellcheck={false} maxLength={64}
        enterkeyhint="done" aria-describedby="number-hint" value={card.number}
        onInput={(event) => onChange({ number: event.currentTarget.value })} />
      <p class="hint" id="number-hint" role="status">
        {said ?? (card.read ? confirm.numberHintRead : confirm.numberHint)}
      </p>
      <Offers card={card} draft={draft} onChange={onChange} />
    </div>
  );
}

function Offers({ card, draft, onChange }: Omit<NumberFieldProps, 'capture' | 'said'>) {
  const { confirm } = words();
  const seen = draft?.number;
  const inCode = card.read && card.read.text.length <= 64 && card.read.text !== seen?.text ? card.read.text : undefined;
  if (card.number || (!seen && !inCode)) return null;
  return (
    <div class="chips">
      {seen && (
        <button type="button" class="chip numbers" data-testid="number-seen"
          onClick={() => onChange({ number: seen.text })}>
          {confirm.numberSeen(seen.text)}<small>{confirm.sure(percent(seen.confidence))}</small>
        </button>
      )}
      {inCode && (
        <button type="button" class="chip numbers" data-testid="number-same"
          onClick={() => onChange({ number: inCode })}>
          {confirm.numberSame(inCode)}
        </button>
      )}
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
