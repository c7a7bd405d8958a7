/** Whether the photos stay with the card, which side each shows, and a second one for the other side. */
import type { Photos } from '../capture/capture';
import type { Face } from '../capture/face';
import { toKeep } from '../capture/photo';
import { captureWords } from '../capture/words';
import { Icon } from '../icons';
import { words } from '../messages';
import { useMadeUrl, useUrl } from './url';

/** Which photo is the front, and how it is shown. */
export interface SidesShown {
  readonly photos: Photos;
  /** The straightened card, in place of the photo it was cut from. */
  readonly face: Face | undefined;
  readonly front: number;
  readonly whole: boolean;
}

interface PhotoChoiceProps {
  readonly sides: SidesShown;
  readonly kept: boolean;
  /** Another photo is being opened. */
  readonly adding: boolean;
  readonly onKept: (kept: boolean) => void;
  readonly onWhole: (whole: boolean) => void;
  readonly onFront: (front: number) => void;
  readonly onAdd: (file: File) => void;
  readonly onRemove: () => void;
}

export function PhotoChoice({ sides, kept, adding, onKept, onWhole, onFront, onAdd, onRemove }: PhotoChoiceProps) {
  const { edit } = words();
  const said = captureWords();
  const back = backOf(sides);
  return (
    <fieldset class="field photo-choice">
      <legend class="unseen">{edit.photos}</legend>
      <label class="check">
        <input type="checkbox" data-testid="photo-keep" checked={kept}
          onChange={(event) => onKept(event.currentTarget.checked)} />
        {said.photoKeep(sides.photos.length)}
      </label>
      {kept && (
        <div class="photo-slots">
          <Side sides={sides} place={sides.front} label={edit.addFront} />
          {back === undefined
            ? <AddSide adding={adding} onAdd={onAdd} />
            : <Side sides={sides} place={back} label={edit.addBack} />}
        </div>
      )}
      {kept && (
        <div class="links">
          {back !== undefined && <Link name="turn-over" text={said.turnOver} onClick={() => onFront(back)} />}
          {back !== undefined && <Link name="remove-photo" text={said.removePhoto} onClick={onRemove} />}
          {sides.face && sides.photos[sides.face.place] && (
            <Link name="whole" text={sides.whole ? said.onlyCard : said.wholePhoto}
              onClick={() => onWhole(!sides.whole)} />
          )}
        </div>
      )}
    </fieldset>
  );
}

interface LinkProps { readonly name: string; readonly text: string; readonly onClick: () => void }

function Link({ name, text, onClick }: LinkProps) {
  return <button type="button" class="link" data-testid={name} onClick={onClick}>{text}</button>;
}

interface AddSideProps { readonly adding: boolean; readonly onAdd: (file: File) => void }

function AddSide({ adding, onAdd }: AddSideProps) {
  const { add } = words();
  return (
    <label class="way photo-slot-empty">
      <Icon name="camera" />
      {adding ? add.reading : captureWords().addSide}
      <SideInput name="add-side" onAdd={onAdd} />
    </label>
  );
}

interface SideInputProps { readonly name: string; readonly onAdd: (file: File) => void }

/** Takes or chooses a photo; the label around it is what is seen. */
export function SideInput({ name, onAdd }: SideInputProps) {
  const chosen = (input: HTMLInputElement) => {
    const file = input.files?.[0];
    // The same file may be chosen again after a failure.
    input.value = '';
    if (file) onAdd(file);
  };
  return (
    <input class="unseen" type="file" accept="image/*" data-testid={name}
      onChange={(event) => chosen(event.currentTarget)} />
  );
}

interface SideProps { readonly sides: SidesShown; readonly place: number; readonly label: string }

function Side({ sides, place, label }: SideProps) {
  const cut = cutOf(sides, place);
  const photo = sides.photos[place];
  const made = useMadeUrl(() => (photo && !cut ? toKeep(photo) : undefined), cut ?? photo);
  const url = useUrl(cut) ?? made;
  return (
    <figure class="photo-slot" data-testid={place === sides.front ? 'side-front' : 'side-back'}
      data-cut={cut ? true : undefined}>
      {url ? <img src={url} alt={label} /> : <span class="photo-space" />}
      <figcaption class="soft small">{label}</figcaption>
    </figure>
  );
}

/** The straightened card in place of a photo, where there is one and it is wanted. */
function cutOf({ face, whole, photos }: SidesShown, place: number): Blob | undefined {
  return face?.place === place && !(whole && photos[place]) ? face.picture : undefined;
}

function backOf({ photos, front }: SidesShown): number | undefined {
  return photos.length > 1 ? 1 - front : undefined;
}

/** The pictures as they are kept. */
export async function picturesOf(sides: SidesShown): Promise<{ front?: Blob; back?: Blob }> {
  const picture = async (place: number | undefined): Promise<Blob | undefined> => {
    const photo = place === undefined ? undefined : sides.photos[place];
    return (place === undefined ? undefined : cutOf(sides, place)) ?? (photo && toKeep(photo));
  };
  const [front, back] = await Promise.all([picture(sides.front), picture(backOf(sides))]);
  return { ...(front && { front }), ...(back && { back }) };
}
