/** What can be done with the shown card. */
import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, type IconName } from '../icons';
import { sentence, words } from '../messages';
import type { Card } from '../model';
import { go, leave } from '../router';
import { Sheet } from '../screens/sheet';
import { say } from '../screens/toasts';
import { bin, households, mayEdit, restore, set } from '../wallet';

interface PlacesProps { readonly card: Card; readonly onClose: () => void }

export function TillMenu({ card, onClose }: PlacesProps) {
  const [places, setPlaces] = useState<{ readonly Places: ComponentType<PlacesProps> } | undefined>(undefined);
  // Few move cards: what is needed for it is fetched when it is wanted.
  const open = () => void import('../screens/move').then(setPlaces, (error: unknown) => say(sentence(error)));
  return (
    <Sheet title={card.name} onClose={onClose}>
      {places
        ? <places.Places card={card} onClose={onClose} />
        : <Choices card={card} onClose={onClose} onMove={open} />}
    </Sheet>
  );
}

interface ChoicesProps extends PlacesProps { readonly onMove: () => void }

function Choices({ card, onClose, onMove }: ChoicesProps) {
  const { till } = words();
  const edits = mayEdit(card);
  const number = card.number ?? card.codes[0]?.text;
  const change = (fields: Parameters<typeof set>[1]) => {
    onClose();
    set(card.id, fields).catch((error: unknown) => say(sentence(error)));
  };
  return (
    <ul class="menu">
      {edits && <Item icon="edit" text={till.edit} onClick={() => go(`/c/${card.id}/edit`)} />}
      {edits && (
        <Item icon="star" text={card.favourite ? till.notFavourite : till.favourite}
          onClick={() => change({ favourite: card.favourite ? null : true })} />
      )}
      {number && <Item icon="copy" text={till.copy} onClick={() => void copy(number).then(onClose)} />}
      {households.value.length > 0 && <Item icon="people" text={till.move} testId="move" onClick={onMove} />}
      {edits && (
        <Item icon="archive" text={card.archived ? till.unarchive : till.archive}
          onClick={() => change({ archived: card.archived ? null : true })} />
      )}
      {edits && <Item icon="bin" text={till.bin} testId="bin" onClick={() => void discard(card)} />}
    </ul>
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
