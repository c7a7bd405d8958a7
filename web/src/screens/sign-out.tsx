/** Signing out wipes the account's cards from this device; unsent edits need an explicit yes. */
import { useSignal } from '@preact/signals';
import { signOut } from '../account';
import { Icon } from '../icons';
import { sentence, words } from '../messages';
import { UnsentChanges } from '../model';
import { Sheet } from './sheet';
import { signMode } from './sign-mode';
import { say } from './toasts';

export function SignOut() {
  const { account: said } = words();
  const asking = useSignal<'no' | 'sure' | number>('no');
  const attempt = async (discardUnsent: boolean) => {
    try {
      await signOut({ discardUnsent });
      asking.value = 'no';
      signMode.value = 'in';
    } catch (error) {
      if (error instanceof UnsentChanges) asking.value = error.waiting + error.refused;
      else say(sentence(error));
    }
  };
  const close = () => (asking.value = 'no');
  return (
    <>
      <button type="button" class="button wide" data-testid="sign-out" onClick={() => (asking.value = 'sure')}>
        <Icon name="leave" />{said.signOut}
      </button>
      {asking.value !== 'no' && (
        <Sheet title={said.signOutAsk} onClose={close}>
          {asking.value === 'sure' ? <Sure onYes={() => attempt(false)} onClose={close} />
            : <Unsent count={asking.value as number} onYes={() => attempt(true)} onClose={close} />}
        </Sheet>
      )}
    </>
  );
}

interface AskProps { readonly onYes: () => Promise<void>; readonly onClose: () => void }

function Sure({ onYes, onClose }: AskProps) {
  const { account: said, common } = words();
  return (
    <div class="stack">
      <p>{said.signOutMore}</p>
      <button type="button" class="button danger wide" data-testid="sign-out-yes" onClick={() => void onYes()}>
        {said.signOut}
      </button>
      <button type="button" class="button wide" onClick={onClose}>{common.cancel}</button>
    </div>
  );
}

function Unsent({ count, onYes, onClose }: AskProps & { readonly count: number }) {
  const { account: said } = words();
  return (
    <div class="stack" role="alert">
      <p><strong>{said.unsentTitle}</strong></p>
      <p>{said.unsent(count)}</p>
      <button type="button" class="button danger wide" data-testid="sign-out-discard" onClick={() => void onYes()}>
        {said.discard}
      </button>
      <button type="button" class="button wide" onClick={onClose}>{said.stay}</button>
    </div>
  );
}
