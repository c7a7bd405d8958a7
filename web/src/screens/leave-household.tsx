/** Leaving a shared pocket: what happens is said before. */
import { useSignal } from '@preact/signals';
import { remove } from '../households';
import { Icon } from '../icons';
import { sentence, words } from '../messages';
import type { HouseholdWords } from '../messages/households';
import type { Household, Inhabitant } from '../model';
import { finish } from '../router';
import { binned, cards } from '../wallet';
import { Sheet } from './sheet';
import { say } from './toasts';

interface LeaveProps { readonly said: HouseholdWords; readonly household: Household; readonly me: Inhabitant }

export function LeaveHousehold({ said, household, me }: LeaveProps) {
  const asking = useSignal(false);
  const working = useSignal(false);
  const leave = async () => {
    working.value = true;
    try {
      await remove(household.id, me.id);
      asking.value = false;
      say(said.left);
      finish('/households');
    } catch (error) {
      say(sentence(error));
    }
    working.value = false;
  };
  return (
    <section class="stack block">
      <button type="button" class="button wide" data-testid="leave-household" onClick={() => (asking.value = true)}>
        <Icon name="leave" />{said.leave}
      </button>
      {asking.value && (
        <Sheet title={said.leaveAsk(household.name)} onClose={() => (asking.value = false)}>
          <div class="stack">
            {consequences(said, household, me).map((line) => <p key={line}>{line}</p>)}
            <button type="button" class="button danger wide" data-testid="leave-yes" disabled={working.value}
              onClick={() => void leave()}>
              {working.value ? said.working : said.leave}
            </button>
            <button type="button" class="button wide" onClick={() => (asking.value = false)}>
              {words().common.cancel}
            </button>
          </div>
        </Sheet>
      )}
    </section>
  );
}

function consequences(said: HouseholdWords, { id, members }: Household, me: Inhabitant): string[] {
  const here = [...cards.value, ...binned.value].filter((card) => card.space === id);
  if (members.length === 1) return [said.leaveLast(here.length)];
  const heir = me.role === 'owner' ? heirOf(members.filter((one) => one !== me)) : undefined;
  const brought = here.filter((card) => card.brought_by === me.id).length;
  return [said.leaveCards(brought), ...(heir ? [said.leaveHeir(heir.name)] : [])];
}

/** As the server chooses: who has been there longest of those who may edit, or else of all. */
function heirOf(others: readonly Inhabitant[]): Inhabitant | undefined {
  return others.find((one) => one.role === 'member') ?? others[0];
}
