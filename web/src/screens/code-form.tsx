/** Where a code is typed: six digits that the shop has sent, or whatever the till gives out. */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { plainCode } from '../links';
import { PARTNERS } from '../messages/partners';
import { language } from '../wallet';

interface CodeFormProps {
  readonly kind: 'challenge' | 'code';
  readonly fault: string;
  readonly working: boolean;
  readonly onCode: (code: string) => void;
}

const SIX_DIGITS = /^\d{6}$/;

export function CodeForm({ kind, fault, working, onCode }: CodeFormProps) {
  const said = PARTNERS[language.value];
  const input = useRef<HTMLInputElement>(null);
  const own = useSignal('');
  // The button that led here is gone, and this is the one thing to do.
  useLayoutEffect(() => input.current!.focus({ preventScroll: true }), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const code = plainCode(input.current!.value);
    own.value = !code ? said.codeEmpty : kind === 'challenge' && !SIX_DIGITS.test(code) ? said.sixDigits : '';
    if (own.value) input.current!.focus();
    else onCode(code);
  };
  const told = own.value || fault;
  const digits = kind === 'challenge';
  return (
    <form class="stack" noValidate onSubmit={submit}>
      <div class="field">
        <label for="connect-code">{digits ? said.code : said.tillCode}</label>
        <input class="input numbers code-input" id="connect-code" data-testid="connect-code" ref={input}
          inputmode={digits ? 'numeric' : 'text'} autocomplete={digits ? 'one-time-code' : 'off'}
          autocapitalize="characters" autocorrect="off" spellcheck={false} maxLength={40}
          aria-invalid={told ? true : undefined} aria-describedby="connect-code-said" />
        <div role="alert" id="connect-code-said">{told && <p class="fault">{told}</p>}</div>
      </div>
      <button type="submit" class="button main" data-testid="connect-confirm" disabled={working}>
        {working ? said.working : said.confirm}
      </button>
    </form>
  );
}
