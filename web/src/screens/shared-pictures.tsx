/** Two pictures came at once: two sides of one card, or two cards. Only the person knows. */
import { captureWords } from '../capture/words';
import { words } from '../messages';
import { Screen } from './screen';
import { useUrl } from './url';

interface SharedProps {
  readonly files: readonly Blob[];
  readonly onOneCard: () => void;
  readonly onEach: () => void;
}

export function SharedPictures({ files, onOneCard, onEach }: SharedProps) {
  const said = captureWords();
  return (
    <Screen title={words().add.title} foot={
      <div class="stack">
        <button type="button" class="button main" data-testid="one-card" onClick={onOneCard}>{said.oneCard}</button>
        <button type="button" class="button wide" data-testid="each" onClick={onEach}>{said.eachCard}</button>
      </div>
    }>
      <div class="narrow stack">
        <p>{said.shared(files.length)}</p>
        <div class="photo-slots">{files.map((file, place) => <Shown key={place} file={file} />)}</div>
      </div>
    </Screen>
  );
}

function Shown({ file }: { readonly file: Blob }) {
  const url = useUrl(file);
  return <div class="photo-slot">{url && <img src={url} alt={words().confirm.photoShown} />}</div>;
}
