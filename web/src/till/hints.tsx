/**
 * Two questions of the till: a word about brightness, once ever, and whether the code worked, once per card and never
 * before it was shown.
 */
import { useSignal } from '@preact/signals';
import { Icon } from '../icons';
import { words } from '../messages';
import type { Card } from '../model';
import { wasTold, tell } from '../screens/told';
import { mayEdit } from '../wallet';

export function Hints({ card, usesBefore }: { readonly card: Card; readonly usesBefore: number }) {
  if (!card.codes.length) return null;
  if (!wasTold('brightness')) return <Brightness />;
  if (usesBefore > 0 && !wasTold(workedKey(card))) return <Worked card={card} />;
  return null;
}

function workedKey(card: Card): string {
  return `worked:${card.id}`;
}

function Brightness() {
  const { till } = words();
  return (
    <div class="till-hint">
      <p class="small"><Icon name="bright" />{till.bright}</p>
      <button type="button" class="button quiet" onClick={() => tell('brightness')}>{till.brightDone}</button>
    </div>
  );
}

function Worked({ card }: { readonly card: Card }) {
  const { till } = words();
  const failed = useSignal(false);
  if (failed.value) return <Failed card={card} />;
  return (
    <div class="till-hint">
      <p class="small">{till.worked}</p>
      <button type="button" class="button quiet" onClick={() => tell(workedKey(card))}>{till.yes}</button>
      <button type="button" class="button quiet" onClick={() => (failed.value = true)}>{till.no}</button>
    </div>
  );
}

function Failed({ card }: { readonly card: Card }) {
  const { till } = words();
  const done = () => tell(workedKey(card));
  return (
    <div class="till-hint">
      <p class="small" role="status">{till.failed}</p>
      {mayEdit(card)
        ? <a class="button quiet" href={`/c/${card.id}/edit`} onClick={done}>{till.check}</a>
        : <button type="button" class="button quiet" onClick={done}>{till.brightDone}</button>}
    </div>
  );
}
