/** The bin: deleted cards wait here for 30 days. */
import '../styles/forms.css';
import { sentence, words } from '../messages';
import { BIN_DAYS, type Card } from '../model';
import { Tile } from '../tile';
import { binned, mayEdit, restore } from '../wallet';
import { Screen } from './screen';
import { say } from './toasts';

const DAY_MS = 86_400_000;

export function Bin() {
  const { bin } = words();
  return (
    <Screen title={bin.title}>
      <div class="narrow stack">
        <p class="soft small">{binned.value.length ? bin.about : bin.empty}</p>
        <ul class="rows">{binned.value.map((card) => <li key={card.id}><Row card={card} /></li>)}</ul>
      </div>
    </Screen>
  );
}

function Row({ card }: { readonly card: Card }) {
  const { bin } = words();
  const back = () => restore(card.id)
    .then(() => say(bin.restored(card.name)), (error: unknown) => say(sentence(error)));
  return (
    <div class="row row-flush" data-testid="bin-row">
      <Tile card={card} />
      <span class="row-name">{card.name}<small class="soft tiny row-under">{left(card)}</small></span>
      {mayEdit(card) && (
        <button type="button" class="button" data-testid="restore" aria-label={`${bin.restore}: ${card.name}`}
          onClick={() => void back()}>
          {bin.restore}
        </button>
      )}
    </div>
  );
}

function left({ binned_at }: Card): string {
  if (!binned_at) return '';
  const days = Math.ceil((Date.parse(binned_at) + BIN_DAYS * DAY_MS - Date.now()) / DAY_MS);
  return days > 0 ? words().bin.left(Math.min(BIN_DAYS, days)) : words().bin.lastDay;
}
