/** The other ways to add a card: take a photo, choose one, or type. */
import { Icon, type IconName } from '../icons';
import { words } from '../messages';

interface WaysProps { readonly onFile: (file: File) => void; readonly onType: () => void }

export function Ways({ onFile, onType }: WaysProps) {
  const { add } = words();
  return (
    <div class="ways">
      <FileWay icon="camera" text={add.photo} testId="photo" capture onFile={onFile} />
      <FileWay icon="image" text={add.gallery} testId="gallery" onFile={onFile} />
      <button type="button" class="way" data-testid="type" onClick={onType}><Icon name="keyboard" />{add.type}</button>
    </div>
  );
}

interface FileWayProps {
  readonly icon: IconName;
  readonly text: string;
  readonly testId: string;
  readonly capture?: boolean;
  readonly onFile: (file: File) => void;
}

function FileWay({ icon, text, testId, capture = false, onFile }: FileWayProps) {
  const chosen = (input: HTMLInputElement) => {
    const file = input.files?.[0];
    // The same file may be chosen again after a failure.
    input.value = '';
    if (file) onFile(file);
  };
  return (
    <label class="way">
      <Icon name={icon} />
      {text}
      <input class="unseen" type="file" accept="image/*" data-testid={testId}
        {...(capture && { capture: 'environment' })}
        onChange={(event) => chosen(event.currentTarget)} />
    </label>
  );
}
