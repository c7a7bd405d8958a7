/** How sync stands: silent when well, a few words otherwise, and a sheet that tells more. */
import { signal } from '@preact/signals';
import { Icon, type IconName } from '../icons';
import { problemSentence, words } from '../messages';
import type { SyncStatus } from '../model';
import { go } from '../router';
import { sync } from '../wallet';
import { part } from './lazy';
import { Sheet } from './sheet';

/** Few ever have any. */
const Refusals = part(() => import('./refusals').then((module) => module.Refusals));

type Look = 'silent' | 'offline' | 'waiting' | 'refused' | 'signed-out' | 'error';

const ICONS: Record<Exclude<Look, 'silent'>, IconName> = {
  offline: 'offline', waiting: 'waiting', refused: 'alert', 'signed-out': 'alert', error: 'alert',
};
const open = signal(false);

export function SyncMark() {
  const status = sync.value;
  const look = lookOf(status);
  const close = () => (open.value = false);
  return (
    <>
      {look === 'silent'
        ? <span data-testid="sync" data-state={status.state} />
        : <Mark look={look} status={status} />}
      {open.value && <Sheet title={words().sync.title} onClose={close}><Told status={status} onClose={close} /></Sheet>}
    </>
  );
}

function lookOf({ state, refusals }: SyncStatus): Look {
  if (refusals.length) return 'refused';
  return state === 'idle' || state === 'guest' ? 'silent' : state;
}

function Mark({ look, status }: { readonly look: Exclude<Look, 'silent'>; readonly status: SyncStatus }) {
  const alarm = look !== 'offline' && look !== 'waiting';
  return (
    <button type="button" class={`sync ${alarm ? 'alarm' : ''}`} data-testid="sync"
      data-state={look === 'refused' ? 'refused' : status.state}
      data-waiting={status.waiting} onClick={() => (open.value = true)}>
      <Icon name={ICONS[look]} />
      <span role="status">{short(look, status)}</span>
    </button>
  );
}

function short(look: Exclude<Look, 'silent'>, { waiting, refusals }: SyncStatus): string {
  const said = words().sync;
  switch (look) {
    case 'offline': return waiting ? said.offlineWaiting(waiting) : said.offline;
    case 'waiting': return waiting ? said.waiting(waiting) : words().wallet.loading;
    case 'refused': return said.refused(refusals.length);
    case 'signed-out': return said.signedOut;
    case 'error': return said.error;
  }
}

function Told({ status, onClose }: { readonly status: SyncStatus; readonly onClose: () => void }) {
  const said = words().sync;
  return (
    <div class="stack">
      {status.state === 'offline' && <p>{said.offlineMore}</p>}
      {status.state === 'waiting' && !status.waiting && <p>{said.loadingMore}</p>}
      {status.waiting > 0 && status.state !== 'signed-out' && <p>{said.waitingMore(status.waiting)}</p>}
      {status.state === 'signed-out' && <SignInAgain />}
      {status.state === 'error' && <p>{problemSentence(status.problem?.code ?? 'error')}</p>}
      {status.refusals.length > 0 && <Refusals refusals={status.refusals} />}
      {status.state === 'idle' && !status.refusals.length && <p>{said.idle}</p>}
      <button type="button" class="button wide" onClick={onClose}>{words().common.close}</button>
    </div>
  );
}

function SignInAgain() {
  return (
    <>
      <p>{words().sync.signedOutMore}</p>
      <button type="button" class="button main" onClick={() => go('/account')}>{words().account.signIn}</button>
    </>
  );
}
