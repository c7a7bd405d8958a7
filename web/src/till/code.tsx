/** The code itself, or, where it cannot be drawn, the photo of the card and an honest sentence. */
import { Barcode } from '../codes/barcode';
import { words } from '../messages';
import type { Card, Code as CodeOf, Drawn } from '../model';
import { mayEdit } from '../wallet';
import { codeLabel } from './label';
import { Photo } from './photo';

interface CodeProps {
  readonly card: Card;
  readonly code: CodeOf | undefined;
  readonly drawn: Drawn | null | undefined;
  readonly onTurned: (turned: boolean) => void;
}

/** Share of the window's height a code may take, so that the number below it is on the screen as well. */
const SHARE = 0.62;

export function Code({ card, code, drawn, onTurned }: CodeProps) {
  if (code && drawn) {
    return (
      <div class={`till-code ${drawn.kind}`}>
        <Barcode drawn={drawn} format={code.format} label={codeLabel(code)} share={SHARE} mayTurn onTurned={onTurned} />
      </div>
    );
  }
  const { till } = words();
  if (!code) return <NoCode card={card} />;
  return (
    <div class="stack">
      {card.front && <Photo id={card.front} label={till.photo} class="till-photo" />}
      <p class="till-days">{card.front ? till.cannotDraw : till.cannotDrawNoPhoto}</p>
    </div>
  );
}

function NoCode({ card }: { readonly card: Card }) {
  const { till } = words();
  if (card.number) return <p class="till-nothing">{till.noCode}</p>;
  return (
    <div class="till-nothing">
      <p>{till.nothing}</p>
      {mayEdit(card) && <a class="link" href={`/c/${card.id}/edit`}>{till.addCode}</a>}
    </div>
  );
}
