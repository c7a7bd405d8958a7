/** Whether the photo stays with the card. */
import { toKeep, type Photo } from '../capture/photo';
import { words } from '../messages';
import { useMadeUrl } from './url';

interface PhotoChoiceProps { readonly photo: Photo; readonly kept: boolean; readonly onChange: (kept: boolean) => void }

export function PhotoChoice({ photo, kept, onChange }: PhotoChoiceProps) {
  const { confirm } = words();
  const url = useMadeUrl(() => toKeep(photo), photo);
  return (
    <label class="check photo-keep">
      <input type="checkbox" data-testid="photo-keep" checked={kept}
        onChange={(event) => onChange(event.currentTarget.checked)} />
      {url ? <img src={url} alt="" /> : <span class="photo-space" />}
      {confirm.photoKeep}
    </label>
  );
}
