/** While a photo is read: the photo, and who is reading it. */
import { words } from '../messages';
import { Screen } from './screen';
import { useUrl } from './url';

export function Reading({ file, asking }: { readonly file: Blob; readonly asking: boolean }) {
  const { add } = words();
  const url = useUrl(file);
  return (
    <Screen title={add.title}>
      <div class="narrow reading">
        {url && <img src={url} alt={words().confirm.photoShown} />}
        <p role="status">{asking ? add.asking : add.reading}</p>
      </div>
    </Screen>
  );
}
