/** The code itself, or, where it cannot be drawn, the photo of the card and an honest sentence. */
import { Barcode } from '../codes/barcode';
import { words } from '../messages';
import type { Card, Code as CodeOf, Drawn } from '../model';
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
  if (!code) return <p class="till-nothing">{card.number ? till.noCode : till.nothing}</p>;
  return (
    <div class="stack">
      {card.front && <Photo id={card.front} label={till.photo} class="till-photo" />}
      <p class="till-days">{card.front ? till.cannotDraw : till.cannotDrawNoPhoto}</p>
    </div>
  );
}
