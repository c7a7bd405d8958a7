/** How far the server is with the photos, step by step. */
import type { Asked } from '../capture/asking';
import { STEPS, type Known, type Step } from '../capture/intake';
import { captureWords } from '../capture/words';
import { FORMAT_NAMES } from '../codes/formats';
import { Icon } from '../icons';

type State = 'done' | 'now' | 'later';

interface StepsProps {
  readonly asked: Asked;
  /** A line for each, with what was found. */
  readonly told?: boolean;
}

export function Steps({ asked: { known }, told = false }: StepsProps) {
  const said = captureWords();
  const now = STEPS.find((step) => !isDone(step, known));
  return (
    <ol class={told ? 'steps told' : 'steps'} data-testid="steps">
      {STEPS.map((step) => {
        const state: State = isDone(step, known) ? 'done' : step === now ? 'now' : 'later';
        const found = told && state === 'done' ? foundIn(step, known) : undefined;
        return (
          <li key={step} data-step={step} data-state={state} aria-current={state === 'now' ? 'step' : undefined}>
            {state === 'done' ? <Icon name="check" /> : <span class="step-dot" />}
            <span>{said[step]}</span>
            {found && <span class="step-found numbers">{found}</span>}
          </li>
        );
      })}
    </ol>
  );
}

/** A step may be left out, where print cannot be read say: it is done when a later one is. */
function isDone(step: Step, { done }: Known): boolean {
  return STEPS.slice(STEPS.indexOf(step)).some((later) => done.includes(later));
}

const LONGEST = 24;

function foundIn(step: Step, known: Known): string | undefined {
  switch (step) {
    case 'barcodes': {
      const code = known.codes?.[0];
      return code ? `${FORMAT_NAMES[code.format]} · ${shortened(code.text)}` : captureWords().noCode;
    }
    case 'text': return known.number?.text;
    case 'match': return known.verdict === 'accept' ? known.merchants?.[0]?.name : undefined;
    case 'card': return undefined;
  }
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
