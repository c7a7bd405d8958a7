/** The only card of a wallet, shown large with its code: no tap between the person and the till. */
import { Barcode } from '../codes/barcode';
import { grouped } from '../codes/formats';
import { amount, words } from '../messages';
import type { Card } from '../model';
import { Tile } from '../tile';
import { useDrawings } from '../till/drawings';
import { codeLabel } from '../till/label';
import { SharedMark } from './pockets';

export function OnlyCard({ card }: { readonly card: Card }) {
  const [drawing] = useDrawings(card) ?? [];
  const code = card.codes[0];
  const number = card.number ?? code?.text;
  return (
    <a class="only white" href={`/c/${card.id}`} data-testid="card-row" data-card={card.id}>
      <span class="only-head"><Tile card={card} large />{card.name}<SharedMark card={card} /></span>
      {code && drawing && (
        <div class="only-code">
          <Barcode drawn={drawing} format={code.format} label={codeLabel(code)} share={0.3} />
        </div>
      )}
      {card.live?.balance && (
        <p class="only-number numbers"><span class="live">{amount(card.live.unit, card.live.balance.main)}</span></p>
      )}
      {number && <p class="only-number numbers">{grouped(number)}</p>}
      <span class="unseen">{words().wallet.show}</span>
    </a>
  );
}
