/** A form with something to lose asks before it is left, whichever way. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { words } from '../messages';
import { guard } from '../router';
import { useUnsaved } from '../unsaved';
import { Sheet } from './sheet';

interface Asking {
  readonly title: string;
  readonly text: string;
  readonly leave: string;
  /** Where Back leads when the page was opened at this form. */
  readonly fallback: string;
}

/** While `dirty`, leaving asks first. Answers what to show over the form. */
export function useGuard(dirty: boolean, asking: Asking): ComponentChildren {
  return useAsking(dirty, asking).asking;
}

/** The same; `ask` asks before something else that loses what is in the form. */
export function useAsking(
  dirty: boolean, { title, text, leave, fallback }: Asking,
): { readonly asking: ComponentChildren; readonly ask: (go: () => void) => void } {
  useUnsaved(dirty);
  const proceed = useSignal<(() => void) | null>(null);
  const now = useRef(dirty);
  const armed = useRef(false);
  now.current = dirty;
  armed.current ||= dirty;
  // Once armed it stays so: lifting and laying it anew while one types would race the browser's history.
  useEffect(() => {
    if (!armed.current) return undefined;
    return guard((go) => (now.current ? void (proceed.value = go) : go()), fallback);
  }, [armed.current]);
  const stay = () => (proceed.value = null);
  const ask = (go: () => void) => {
    if (!now.current) return go();
    proceed.value = () => {
      // The form may go only when the question has gone from the browser's history.
      addEventListener('popstate', go, { once: true });
      stay();
    };
  };
  const asking = proceed.value && (
    <Sheet title={title} onClose={stay}>
      <div class="stack">
        <p>{text}</p>
        <button type="button" class="button main" onClick={stay}>{words().edit.stay}</button>
        <button type="button" class="button danger wide" data-testid="leave" onClick={proceed.value}>{leave}</button>
      </div>
    </Sheet>
  );
  return { asking, ask };
}
