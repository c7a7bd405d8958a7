/** The till: a white page with the code first; everything else is below it. */
import { useSignal } from '@preact/signals';
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks';
import { FORMAT_NAMES, grouped } from '../codes/formats';
import { Icon } from '../icons';
import { words } from '../messages';
import type { Card, Drawn } from '../model';
import { go } from '../router';
import { Round, Screen } from '../screens/screen';
import { binned, cards, mayEdit, notice, restore, use } from '../wallet';
import { Below } from './below';
import { Code } from './code';
import { useDrawings } from './drawings';
import { Hints } from './hints';
import { TillMenu } from './menu';
import { neighbours } from './neighbours';
import { useSwipe } from './swipe';
import { useWakeLock } from './wake-lock';

export function Till({ id }: { readonly id: string }) {
  const card = cards.value.find((one) => one.id === id);
  if (card) return <Shown key={id} card={card} />;
  const inBin = binned.value.find((one) => one.id === id);
  return inBin ? <InBin card={inBin} /> : <Gone />;
}

function Shown({ card }: { readonly card: Card }) {
  const usesBefore = useMemo(() => card.uses, []);
  const menu = useSignal(false);
  const body = useRef<HTMLDivElement>(null);
  const drawing = useDrawings(card);
  const [previous, next] = neighbours(card);
  const open = (to: Card | undefined) => to && go(`/c/${to.id}`, { replace: true });
  useEffect(() => void use(card.id).catch(() => undefined), []);
  useWakeLock();
  useWhiteTheme();
  useSwipe(body, () => open(previous), () => open(next));
  return (
    <Screen title={card.name} class="white till" bodyRef={body}
      actions={<Round icon="more" label={words().till.more} onClick={() => (menu.value = true)} />}>
      {drawing && <Paper card={card} drawing={drawing} />}
      <Hints card={card} usesBefore={usesBefore} />
      <Below card={card} previous={previous} next={next} />
      {menu.value && <TillMenu card={card} onClose={() => (menu.value = false)} />}
    </Screen>
  );
}

function Paper({ card, drawing }: { readonly card: Card; readonly drawing: readonly (Drawn | null)[] }) {
  const chosen = useSignal(0);
  const turned = useSignal(false);
  const onTurned = useCallback((is: boolean) => void (turned.value = is), []);
  const at = Math.min(chosen.value, Math.max(0, card.codes.length - 1));
  const code = card.codes[at];
  const number = at === 0 ? (card.number ?? code?.text) : code?.text;
  const spoken = number && grouped(readable(number));
  return (
    <div class={`till-paper ${turned.value ? 'till-turned' : ''}`}>
      <Code card={card} code={code} drawn={drawing[at]} onTurned={onTurned} />
      {spoken && (
        <p class={`till-number ${isLong(number) ? 'long' : ''}`} style={{ '--letters': spoken.length }}
          data-testid="till-number">
          {spoken}
        </p>
      )}
      {card.codes.length > 1 && <Choice card={card} at={at} onChoose={(to) => (chosen.value = to)} />}
    </div>
  );
}

const LONG_DIGITS = 24;
const LONG_TEXT = 14;
const MOST_READ_ALOUD = 120;

function isLong(number: string): boolean {
  return number.length > (/^[\d\s-]+$/.test(number) ? LONG_DIGITS : LONG_TEXT);
}

function readable(number: string): string {
  return number.length > MOST_READ_ALOUD ? `${number.slice(0, MOST_READ_ALOUD)}…` : number;
}

interface ChoiceProps { readonly card: Card; readonly at: number; readonly onChoose: (at: number) => void }

function Choice({ card, at, onChoose }: ChoiceProps) {
  return (
    <div class="chips" role="group" aria-label={words().till.codes}>
      {card.codes.map((code, i) => (
        <button key={i} type="button" class="chip" aria-pressed={i === at} onClick={() => onChoose(i)}>
          {words().till.nth(i + 1, FORMAT_NAMES[code.format])}
          <small class="numbers">{code.text.length > 16 ? `…${code.text.slice(-12)}` : code.text}</small>
        </button>
      ))}
    </div>
  );
}

function InBin({ card }: { readonly card: Card }) {
  return (
    <Screen title={card.name} class="white till">
      <div class="stack till-nothing">
        <p>{words().till.inBin}</p>
        {mayEdit(card) && (
          <button type="button" class="button main" data-testid="restore" onClick={() => void restore(card.id)}>
            {words().till.restore}
          </button>
        )}
      </div>
    </Screen>
  );
}

/** Where the cards went when this device was signed out from elsewhere is told in the wallet. */
function Gone() {
  const { till, app } = words();
  const revoked = notice.value !== null;
  useEffect(() => {
    if (revoked) go('/', { replace: true });
  }, [revoked]);
  return (
    <Screen title={till.gone}>
      <div class="stack till-nothing">
        <p>{till.goneMore}</p>
        <a class="button" href="/"><Icon name="back" />{app.toWallet}</a>
      </div>
    </Screen>
  );
}

/** The system bars turn white with the page. */
function useWhiteTheme(): void {
  useEffect(() => {
    const metas = [...document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')];
    const before = metas.map((meta) => meta.content);
    metas.forEach((meta) => (meta.content = '#ffffff'));
    return () => metas.forEach((meta, i) => (meta.content = before[i]!));
  }, []);
}
