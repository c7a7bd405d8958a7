/** Which of several cards this is, and the way past it. */
import { captureWords } from '../capture/words';

export interface Place {
  readonly n: number;
  readonly all: number;
  /** Absent at the last one. */
  readonly onSkip?: (() => void) | undefined;
}

export function Nth({ place: { n, all, onSkip }, busy }: { readonly place: Place; readonly busy?: boolean }) {
  const said = captureWords();
  return (
    <div class="nth">
      <p class="soft small" data-testid="nth">{said.nth(n, all)}</p>
      {onSkip && (
        <button type="button" class="link" data-testid="skip" disabled={busy} onClick={onSkip}>{said.skip}</button>
      )}
    </div>
  );
}
