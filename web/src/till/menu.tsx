/** What can be done with the shown card. */
import { Icon, type IconName } from '../icons';
import { sentence, words } from '../messages';
import type { Card } from '../model';
import { go, leave } from '../router';
import { Sheet } from '../screens/sheet';
import { say } from '../screens/toasts';
import { bin, restore, set } from '../wallet';

export function TillMenu({ card, onClose }: { readonly card: Card; readonly onClose: () => void }) {
  const { till } = words();
  const number = card.number ?? card.codes[0]?.text;
  const change = (fields: Parameters<typeof set>[1]) => {
    onClose();
    set(card.id, fields).catch((error: unknown) => say(sentence(error)));
  };
  return (
    <Sheet title={card.name} onClose={onClose}>
      <ul class="menu">
        <Item icon="edit" text={till.edit} onClick={() => go(`/c/${card.id}/edit`)} />
        <Item icon="star" text={card.favourite ? till.notFavourite : till.favourite}
          onClick={() => change({ favourite: card.favourite ? null : true })} />
        {number && <Item icon="copy" text={till.copy} onClick={() => void copy(number).then(onClose)} />}
        <Item icon="archive" text={card.archived ? till.unarchive : till.archive}
          onClick={() => change({ archived: card.archived ? null : true })} />
        <Item icon="bin" text={till.bin} testId="bin" onClick={() => void discard(card)} />
      </ul>
    </Sheet>
  );
}

interface ItemProps {
  readonly icon: IconName;
  readonly text: string;
  readonly testId?: string;
  readonly onClick: () => void;
}

function Item({ icon, text, testId, onClick }: ItemProps) {
  return (
    <li>
      <button type="button" class="menu-item" data-testid={testId} onClick={onClick}><Icon name={icon} />{text}</button>
    </li>
  );
}

async function copy(number: string): Promise<void> {
  await navigator.clipboard.writeText(number).then(() => say(words().till.copied), () => undefined);
}

async function discard(card: Card): Promise<void> {
  leave();
  try {
    await bin(card.id);
    say(words().till.binned, { label: words().common.undo, run: () => void restore(card.id) });
  } catch (error) {
    say(sentence(error));
  }
}
