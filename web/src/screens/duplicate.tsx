/** "You already have this card". */
import { words } from '../messages';
import type { Card } from '../model';

export function Duplicate({ card }: { readonly card: Card }) {
  const { confirm } = words();
  return (
    <div class="note-box" role="status" data-testid="duplicate">
      <div>
        <p>{confirm.duplicate(card.name)}</p>
        <a class="link" href={`/c/${card.id}`}>{confirm.openDuplicate}</a>
      </div>
    </div>
  );
}
