/** A kept picture, shown as soon as its bytes are on the device. */
import { useEffect, useState } from 'preact/hooks';
import { picture, pictures } from '../wallet';

interface PhotoProps { readonly id: string; readonly label: string; readonly class?: string }

export function Photo({ id, label, class: name = '' }: PhotoProps) {
  const url = usePicture(id);
  return url ? <img class={name} src={url} alt={label} /> : null;
}

interface Shown { readonly id: string; readonly url: string }

/** An object URL of a picture, revoked when it is no longer shown. */
export function usePicture(id: string | undefined): string | undefined {
  const [shown, setShown] = useState<Shown>();
  const arrived = pictures.value;
  useEffect(() => {
    // What is under an id never changes: it stays in view while others arrive.
    if (!id || shown?.id === id) return undefined;
    let wanted = true;
    const show = (blob: Blob | undefined) => blob && wanted && setShown({ id, url: URL.createObjectURL(blob) });
    void picture(id).then(show, () => undefined);
    return () => {
      wanted = false;
    };
  }, [id, arrived]);
  useEffect(() => () => shown && URL.revokeObjectURL(shown.url), [shown]);
  return shown?.id === id ? shown?.url : undefined;
}
