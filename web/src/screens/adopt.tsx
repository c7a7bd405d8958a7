/**
 * A guest's cards after signing in: the ticked ones go into the account, all of them unless the person says otherwise.
 */
import { useSignal } from '@preact/signals';
import { adopt } from '../account';
import { sentence, words } from '../messages';
import type { Card } from '../model';
import { Tile } from '../tile';
import { leaveBehind } from './left-cards';
import { lastFour } from './rows';
import { say } from './toasts';

export function Adopt({ cards, onDone }: { readonly cards: readonly Card[]; readonly onDone: () => void }) {
  const { account: said } = words();
  const left = useSignal<ReadonlySet<string>>(new Set());
  const chosen = cards.filter((card) => !left.value.has(card.id));
  const toggle = (id: string) => {
    const next = new Set(left.value);
    if (!next.delete(id)) next.add(id);
    left.value = next;
  };
  const done = (behind: readonly Card[]) => {
    leaveBehind(behind);
    onDone();
  };
  const take = () => adopt(chosen.map((card) => card.id)).then(() => {
    say(said.adopted);
    done(cards.filter((card) => left.value.has(card.id)));
  }, (error: unknown) => say(sentence(error)));
  return (
    <section class="stack block" data-testid="adopt-list">
      <h2>{said.adoptTitle}</h2>
      <p class="soft small">{said.adoptMore}</p>
      <ul>
        {cards.map((card) => (
          <li key={card.id}>
            <label class="check adopt-row">
              <input type="checkbox" checked={!left.value.has(card.id)} onChange={() => toggle(card.id)} />
              <Tile card={card} />
              <span class="row-name">{card.name}</span>
              {lastFour(card) && <span class="row-end numbers">{`•• ${lastFour(card)}`}</span>}
            </label>
          </li>
        ))}
      </ul>
      <div class="adopt-foot">
        <button type="button" class="button main" data-testid="adopt" disabled={!chosen.length}
          onClick={() => void take()}>
          {said.adopt(chosen.length)}
        </button>
        <button type="button" class="button quiet" data-testid="adopt-none" onClick={() => done(cards)}>
          {said.adoptNone}
        </button>
      </div>
    </section>
  );
}
