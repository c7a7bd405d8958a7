/** Where a card is kept: with oneself, or in a shared pocket, each with who will see it. */
import '../styles/forms.css';
import { Icon, type IconName } from '../icons';
import { sentence } from '../messages';
import { HOUSEHOLDS } from '../messages/households';
import { PARTNERS } from '../messages/partners';
import type { Card, Household } from '../model';
import { account, copy, households, language, move } from '../wallet';
import { say } from './toasts';

export function Places({ card, onClose }: { readonly card: Card; readonly onClose: () => void }) {
  const said = HOUSEHOLDS[language.value];
  const home = account.value!.space;
  const isMine = mayTake(card);
  const to = (space: string, name: string) => {
    onClose();
    if (space !== card.space) move(card.id, space).then(() => say(said.moved(name)), tellFailure);
  };
  const take = () => {
    onClose();
    copy(card.id).then(() => say(said.copyDone), tellFailure);
  };
  return (
    <>
      <h3>{said.moveTitle}</h3>
      <ul class="menu">
        {isMine
          ? <Place icon="person" name={said.onlyMe} more={said.onlyMeMore} isHere={card.space === home} here={said.here}
              testId="move-home" onClick={() => to(home, said.onlyMe)} />
          : <Place icon="copy" name={said.copyTitle} more={said.copyMore(bringerOf(card))} here={said.here}
              testId="copy" onClick={take} />}
        {households.value.filter((one) => one.id === card.space || (isMine && mayEdit(one))).map((one) => (
          <Place key={one.id} icon="people" name={one.name} more={seenIn(card, one)} here={said.here}
            isHere={one.id === card.space} testId="move-to" onClick={() => to(one.id, one.name)} />
        ))}
      </ul>
      {!households.value.length && <p class="soft">{said.nowhere}</p>}
      <a class="button quiet wide" href="/households">{said.title}</a>
    </>
  );
}

function tellFailure(error: unknown): void {
  say(sentence(error));
}

function mayEdit({ members }: Household): boolean {
  return members.some(({ id, role }) => id === account.value?.id && role !== 'viewer');
}

/** As the server judges: out of a pocket goes what one has brought, and for its owner what nobody there has. */
function mayTake(card: Card): boolean {
  const household = households.value.find(({ id }) => id === card.space);
  const me = household?.members.find(({ id }) => id === account.value?.id);
  if (!household || !me) return true;
  const isBringersHere = household.members.some(({ id }) => id === card.brought_by);
  return me.role !== 'viewer' && (card.brought_by === me.id || (me.role === 'owner' && !isBringersHere));
}

function bringerOf({ space, brought_by }: Card): string {
  const household = households.value.find(({ id }) => id === space);
  return household?.members.find(({ id }) => id === brought_by)?.name ?? household?.name ?? '';
}

/** Whom a card is shown to there, and that a connected one shows its balance, too. */
function seenIn({ live }: Card, household: Household): string {
  const names = HOUSEHOLDS[language.value].seenBy(namesIn(household));
  return live ? `${names}. ${PARTNERS[language.value].movedToo}` : names;
}

function namesIn({ members }: Household): string {
  return members.map(({ name }) => name).join(', ');
}

interface PlaceProps {
  readonly icon: IconName;
  readonly name: string;
  readonly more: string;
  readonly here: string;
  readonly isHere?: boolean;
  readonly testId: string;
  readonly onClick: () => void;
}

function Place({ icon, name, more, here, isHere = false, testId, onClick }: PlaceProps) {
  return (
    <li>
      <button type="button" class="menu-item" data-testid={testId} aria-current={isHere || undefined} onClick={onClick}>
        <Icon name={icon} />
        <span>{name}<small class="soft tiny row-under">{isHere ? `${more} · ${here}` : more}</small></span>
        {isHere && <Icon name="check" />}
      </button>
    </li>
  );
}
