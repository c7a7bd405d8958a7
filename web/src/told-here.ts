/** Keeps what this browser is told in step with who is signed in here. */
import { effect } from '@preact/signals';
import { go } from './router';
import { account, ready } from './wallet';

/** Watches from the start of the page on. */
export function watchNotices(): void {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ type?: string; url?: string }>) => {
    // A notice was pressed while the app was open.
    if (event.data?.type === 'open' && event.data.url?.startsWith('/')) go(event.data.url);
  });
  let before: string | undefined;
  effect(() => {
    const now = ready.value ? account.value?.id : before;
    // What was meant for one person must not be shown to the next.
    if (before && before !== now) {
      void reminders().then(({ forgetHere }) => forgetHere()).catch(() => undefined);
      void import('./caches').then(({ forgetShops }) => forgetShops()).catch(() => undefined);
    }
    before = now;
  });
}

/** Once nothing else is going on. */
export async function tendNotices(): Promise<void> {
  if (account.peek()) await (await reminders()).keepTold();
}

function reminders(): Promise<typeof import('./reminders')> {
  return import('./reminders');
}
