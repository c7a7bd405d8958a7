/** One shared pocket: who is in it, letting others in, and leaving. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import '../styles/forms.css';
import { invitations, remove, rename, setRole, withdraw, type Invitation } from '../households';
import { day, sentence } from '../messages';
import { HOUSEHOLDS, type HouseholdWords } from '../messages/households';
import type { Household, Inhabitant } from '../model';
import { account, cards, households, language } from '../wallet';
import { Invite } from './invite';
import { LeaveHousehold } from './leave-household';
import { NameField } from './name-field';
import { showSpace } from './pockets';
import { Screen } from './screen';
import { Sure } from './sure';
import { say } from './toasts';

export function HouseholdScreen({ id }: { readonly id: string }) {
  const said = HOUSEHOLDS[language.value];
  const household = households.value.find((one) => one.id === id);
  const me = household?.members.find((one) => one.id === account.value?.id);
  if (!household || !me) {
    return <Screen title={said.gone}><a class="button" href="/households">{said.title}</a></Screen>;
  }
  const isOwner = me.role === 'owner';
  return (
    <Screen title={household.name}>
      <div class="narrow stack">
        <ul class="stack" data-testid="members">
          {household.members.map((one) => (
            <li key={one.id}><Member said={said} space={id} one={one} isMe={one === me} isOwner={isOwner} /></li>
          ))}
        </ul>
        <Shared said={said} space={id} />
        {isOwner && <Inviting said={said} space={id} />}
        {isOwner && <Rename said={said} household={household} />}
        <LeaveHousehold said={said} household={household} me={me} />
      </div>
    </Screen>
  );
}

function Shared({ said, space }: { readonly said: HouseholdWords; readonly space: string }) {
  const shared = cards.value.filter((card) => card.space === space).length;
  if (!shared) return <p class="soft">{said.howToShare}</p>;
  return <a class="button" href="/" data-testid="shared-cards" onClick={() => showSpace(space)}>{said.cards(shared)}</a>;
}

interface MemberProps {
  readonly said: HouseholdWords;
  readonly space: string;
  readonly one: Inhabitant;
  readonly isMe: boolean;
  readonly isOwner: boolean;
}

function Member({ said, space, one, isMe, isOwner }: MemberProps) {
  return (
    <div class="stack member" data-testid="member">
      <p class="member-name">
        {one.name}{isMe && <span class="soft">{` (${said.you})`}</span>}
        {!(isOwner && !isMe) && <small class="soft tiny row-under">{said.role[one.role]}</small>}
      </p>
      {isOwner && !isMe && <Say said={said} space={space} one={one} />}
    </div>
  );
}

type Asked = 'no' | 'remove' | 'hand-on';

/** What an owner may do about somebody. */
function Say({ said, space, one }: Pick<MemberProps, 'said' | 'space' | 'one'>) {
  const asked = useSignal<Asked>('no');
  const done = (work: Promise<void>, told: string) => {
    asked.value = 'no';
    void work.then(() => say(told), (error: unknown) => say(sentence(error)));
  };
  const choose = (select: HTMLSelectElement) => {
    const role = select.value as Inhabitant['role'];
    select.value = one.role;
    if (role === 'owner') asked.value = 'hand-on';
    else done(setRole(space, one.id, role), said.saved);
  };
  return (
    <div class="member-say">
      <select class="select" aria-label={said.roleOf(one.name)} value={one.role} data-testid="role"
        onChange={(event) => choose(event.currentTarget)}>
        <option value="member">{said.role.member}</option>
        <option value="viewer">{said.role.viewer}</option>
        <option value="owner">{said.role.owner}</option>
      </select>
      <button type="button" class="button" aria-label={said.removeOf(one.name)} data-testid="remove"
        onClick={() => (asked.value = 'remove')}>
        {said.remove}
      </button>
      {asked.value !== 'no' && (
        <Sure title={asked.value === 'remove' ? said.removeOf(one.name) : said.handOn(one.name)}
          text={asked.value === 'remove' ? said.removeAsk(one.name) : said.handOnAsk(one.name)}
          onClose={() => (asked.value = 'no')}
          onYes={() => (asked.value === 'remove'
            ? done(remove(space, one.id), said.removed(one.name))
            : done(setRole(space, one.id, 'owner'), said.saved))} />
      )}
    </div>
  );
}

function Inviting({ said, space }: { readonly said: HouseholdWords; readonly space: string }) {
  const open = useSignal<readonly Invitation[]>([]);
  const load = () => invitations(space).then((found) => (open.value = found), () => undefined);
  useEffect(() => void load(), [space]);
  const take = (id: string) => withdraw(space, id).then(() => say(said.withdrawn), (error: unknown) => {
    say(sentence(error));
  }).then(load);
  return (
    <section class="stack block">
      <h2>{said.inviteTitle}</h2>
      <Invite said={said} space={space} onMade={() => void load()} />
      {open.value.map((one) => (
        <div key={one.id} class="row row-flush" data-testid="invitation">
          <span class="row-name small">{said.open(said.role[one.role], day(one.expires_at))}</span>
          <button type="button" class="button" data-testid="withdraw" onClick={() => void take(one.id)}>
            {said.withdraw}
          </button>
        </div>
      ))}
    </section>
  );
}

function Rename({ said, household }: { readonly said: HouseholdWords; readonly household: Household }) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget as HTMLFormElement).get('new-name') as string;
    if (!name.trim()) return say(said.missing);
    void rename(household.id, name.trim()).then(() => say(said.saved), (error: unknown) => say(sentence(error)));
  };
  return (
    <details class="block">
      <summary>{said.rename}</summary>
      <form class="stack" noValidate onSubmit={submit}>
        <NameField id="new-name" label={said.name} value={household.name} />
        <button type="submit" class="button wide" data-testid="rename">{said.rename}</button>
      </form>
    </details>
  );
}
