/** Cards added before signing in and not taken along: told in the wallet until the person has answered. */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { guestCards } from '../account';
import { Icon } from '../icons';
import { words } from '../messages';
import type { Card } from '../model';
import { path } from '../router';
import { account, binned, cards } from '../wallet';
import { tell, wasTold } from './told';

const guests = signal<readonly Card[]>([]);

/** Notes that the person has left these behind knowingly; cards added later are asked about anew. */
export function leaveBehind(some: readonly Card[]): void {
  some.forEach(({ id }) => tell(leftKey(id)));
}

function leftKey(id: string): string {
  return `left:${id}`;
}

/** Those not taken along: a card keeps its id, and the guest's copy goes only when the server has it. */
export function notTaken(some: readonly Card[]): readonly Card[] {
  const taken = new Set([...cards.value, ...binned.value].map(({ id }) => id));
  return some.filter(({ id }) => !taken.has(id));
}

/** Those that the person has not been asked about, or has not answered for. */
export const waiting = computed(() => (
  account.value ? notTaken(guests.value).filter(({ id }) => !wasTold(leftKey(id))) : []
));

export function LeftCards() {
  const { wallet } = words();
  const signedIn = account.value?.id;
  const here = path.value === '/';
  useEffect(() => {
    if (!signedIn) guests.value = [];
    else if (here) guestCards().then((found) => (guests.value = found), () => undefined);
  }, [signedIn, here]);
  const left = waiting.value;
  if (!left.length) return null;
  return (
    <div class="notice note-box" role="status" data-testid="left-cards">
      <Icon name="phone" />
      <div>
        <p>{wallet.left(left.length)}</p>
        <a class="link" href="/account">{wallet.takeLeft(left.length)}</a>
      </div>
    </div>
  );
}
