/** In the wallet: whose cards are shown, where a person shares some, and the mark of those that are shared. */
import { computed, signal } from '@preact/signals';
import { Icon } from '../icons';
import { words } from '../messages';
import type { Card } from '../model';
import { account, cards, households } from '../wallet';

const chosen = signal('');

/** The space whose cards are shown; undefined for all of them. */
const shownSpace = computed(() => {
  const known = [account.value?.space, ...households.value.map(({ id }) => id)];
  return households.value.length && known.includes(chosen.value) ? chosen.value : undefined;
});

/** The cards of the chosen space. */
export const shownCards = computed<readonly Card[]>(() => {
  const space = shownSpace.value;
  return space === undefined ? cards.value : cards.value.filter((card) => card.space === space);
});

/** From now on the wallet shows the cards of this space. */
export function showSpace(space: string): void {
  chosen.value = space;
}

export function Pockets() {
  if (!households.value.length) return null;
  const { wallet } = words();
  const all: [space: string, name: string][] = [
    ['', wallet.everything], [account.value?.space ?? '', wallet.own],
    ...households.value.map(({ id, name }): [string, string] => [id, name]),
  ];
  return (
    <div class="chips pockets" role="group" aria-label={wallet.pockets}>
      {all.map(([space, name]) => (
        <button key={space} type="button" class="chip" data-testid="pocket"
          aria-pressed={(shownSpace.value ?? '') === space} onClick={() => showSpace(space)}>
          {name}
        </button>
      ))}
    </div>
  );
}

/** Says beside a card that others see it, too. */
export function SharedMark({ card }: { readonly card: Card }) {
  const household = households.value.find(({ id }) => id === card.space);
  if (!household) return null;
  return <><Icon name="people" /><span class="unseen">{words().wallet.sharedIn(household.name)}</span></>;
}
