/** Asks once more before something goes. */
import { words } from '../messages';
import { Sheet } from './sheet';

interface SureProps {
  readonly title: string;
  readonly text: string;
  readonly onYes: () => void;
  readonly onClose: () => void;
}

export function Sure({ title, text, onYes, onClose }: SureProps) {
  return (
    <Sheet title={title} onClose={onClose}>
      <div class="stack">
        <p>{text}</p>
        <button type="button" class="button danger wide" data-testid="sure" onClick={onYes}>{title}</button>
        <button type="button" class="button wide" onClick={onClose}>{words().common.cancel}</button>
      </div>
    </Sheet>
  );
}
