/** Photos of both sides of a card: kept ones, and new ones in their place. */
import { load, NotPicture, toKeep } from '../capture/photo';
import { Icon } from '../icons';
import { words } from '../messages';
import { usePicture } from '../till/photo';
import type { Edit } from './edit-fields';
import { say } from './toasts';
import { useUrl } from './url';

export interface NewPhotos { readonly front?: Blob; readonly back?: Blob }

interface PhotoSlotsProps {
  readonly edit: Edit;
  readonly photos: NewPhotos;
  readonly onPhotos: (change: (now: NewPhotos) => NewPhotos) => void;
  /** Hears how many more photos are being opened. */
  readonly onTaking: (more: 1 | -1) => void;
  readonly onChange: (next: Partial<Edit>) => void;
}

export function PhotoSlots({ edit, photos, onPhotos, onTaking, onChange }: PhotoSlotsProps) {
  const { edit: said } = words();
  const slot = (side: 'front' | 'back', label: string) => (
    <Slot key={side} side={side} label={label} kept={edit[side]} taken={photos[side]} onTaking={onTaking}
      onTaken={(blob) => onPhotos((now) => ({ ...now, [side]: blob }))}
      onRemove={() => {
        onPhotos(({ [side]: _old, ...others }) => others);
        onChange({ [side]: undefined });
      }} />
  );
  return (
    <fieldset class="field">
      <legend class="label soft small">{said.photos}</legend>
      <div class="photo-slots">{slot('front', said.addFront)}{slot('back', said.addBack)}</div>
    </fieldset>
  );
}

interface SlotProps {
  readonly side: string;
  readonly label: string;
  readonly kept: string | undefined;
  readonly taken: Blob | undefined;
  readonly onTaking: PhotoSlotsProps['onTaking'];
  readonly onTaken: (blob: Blob) => void;
  readonly onRemove: () => void;
}

function Slot({ side, label, kept, taken, onTaking, onTaken, onRemove }: SlotProps) {
  const { common } = words();
  const stored = usePicture(taken ? undefined : kept);
  const fresh = useUrl(taken);
  const url = fresh ?? stored;
  const take = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    input.value = '';
    if (!file) return;
    onTaking(1);
    try {
      onTaken(await toKeep(await load(file)));
    } catch (error) {
      say(error instanceof NotPicture ? words().add.notPicture : words().unknownProblem('photo'));
    }
    onTaking(-1);
  };
  return (
    <div class="photo-slot">
      {url && <img src={url} alt={label} />}
      <label class="way">
        <Icon name="camera" />
        {label}
        <input class="unseen" type="file" accept="image/*" data-testid={`photo-${side}`}
          onChange={(event) => void take(event.currentTarget)} />
      </label>
      {url && (
        <button type="button" class="link" aria-label={`${common.remove}: ${label}`} onClick={onRemove}>
          {common.remove}
        </button>
      )}
    </div>
  );
}
