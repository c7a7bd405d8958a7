/** Short words after something was done, with a way to undo it, read aloud by screen readers. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { path } from '../router';

interface Toast {
  readonly key: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const SECONDS = { plain: 4, undo: 8 };
const shown = signal<Toast | null>(null);
const spoken = signal('');
let last = 0;

/** Shows a line for a few seconds; a new one takes the place of the old. */
export function say(text: string, action?: Toast['action']): void {
  shown.value = { key: ++last, text, ...(action && { action }) };
}

/** Tells a screen reader what happened without showing anything. */
export function announce(text: string): void {
  spoken.value = text;
}

/** At a till the code must stay free: there a toast lies over the bar. */
function isTill(at: string): boolean {
  return /^\/c\/[^/]+\/?$/.test(at);
}

export function Toasts() {
  const toast = shown.value;
  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => (shown.value = null), 1000 * (toast.action ? SECONDS.undo : SECONDS.plain));
    return () => clearTimeout(timer);
  }, [toast]);
  return (
    <>
      <div class={`toasts ${isTill(path.value) ? 'above' : ''}`} role="status">
        {toast && <Line key={toast.key} toast={toast} />}
      </div>
      <div class="unseen" aria-live="polite">{spoken.value}</div>
    </>
  );
}

function Line({ toast: { text, action } }: { readonly toast: Toast }) {
  const act = () => {
    shown.value = null;
    action?.run();
  };
  return (
    <div class="toast">
      <p>{text}</p>
      {action && <button type="button" onClick={act}>{action.label}</button>}
    </div>
  );
}
