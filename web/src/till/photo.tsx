/** A kept picture, shown as soon as its bytes are on the device. */
import { useEffect, useState } from 'preact/hooks';
import { picture, pictures } from '../wallet';

interface PhotoProps { readonly id: string; readonly label: string; readonly class?: string }

export function Photo({ id, label, class: name = '' }: PhotoProps) {
  const url = usePicture(id);
  return url ? <img class={name} src={url} alt={label} /> : null;
}

/** An object URL of a picture, revoked when it is no longer shown. */
export function usePicture(id: string | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  const arrived = pictures.value;
  useEffect(() => {
    let mine: string | undefined;
    let wanted = true;
    const show = (blob: Blob | undefined) => {
      if (!blob || !wanted) return;
      mine = URL.createObjectURL(blob);
      setUrl(mine);
    };
    if (id) void picture(id).then(show, () => undefined);
    return () => {
      wanted = false;
      if (mine) URL.revokeObjectURL(mine);
      setUrl(undefined);
    };
  }, [id, arrived]);
  return url;
}
