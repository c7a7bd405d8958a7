/** Recovery codes: how many are left, and ten new ones, shown this once. */
import { useSignal } from '@preact/signals';
import { WAYS, type WaysWords } from '../messages/ways';
import { language } from '../wallet';
import { newCodes } from '../ways';
import { Sheet } from './sheet';
import { Sure } from './sure';
import { say } from './toasts';
import type { SectionProps } from './ways-in';

const words = (): WaysWords['codes'] => WAYS[language.value].codes;

export function Codes({ ways, prover, onChanged }: SectionProps) {
  const shown = useSignal<readonly string[]>([]);
  const asked = useSignal(false);
  const make = () => prover.run(async () => {
    asked.value = false;
    shown.value = await newCodes();
    await onChanged();
  });
  return (
    <section class="stack block">
      <h2>{words().title}</h2>
      <p class="soft small">{words().about}</p>
      <p>{ways.codes ? words().left(ways.codes) : words().none}</p>
      <button type="button" class="button wide" data-testid="new-codes"
        onClick={() => (ways.codes ? (asked.value = true) : void make())}>
        {ways.codes ? words().renew : words().make}
      </button>
      {asked.value && (
        <Sure title={words().renew} text={words().renewAsk} onYes={() => void make()} onClose={() => (asked.value = false)} />
      )}
      {shown.value.length > 0 && <Shown codes={shown.value} onClose={() => (shown.value = [])} />}
    </section>
  );
}

function Shown({ codes, onClose }: { readonly codes: readonly string[]; readonly onClose: () => void }) {
  const copy = () => navigator.clipboard.writeText(codes.join('\n')).then(() => say(words().copied), () => undefined);
  return (
    <Sheet title={words().title} onClose={onClose} stays>
      <div class="stack">
        <p>{words().shown}</p>
        <ol class="codes numbers" data-testid="codes">{codes.map((code) => <li key={code}>{code}</li>)}</ol>
        <button type="button" class="button wide" onClick={() => void copy()}>{words().copy}</button>
        <button type="button" class="button main" data-testid="codes-done" onClick={onClose}>{words().done}</button>
      </div>
    </Sheet>
  );
}
