/** Making an invitation, and showing it: as a QR code and as a link. */
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { Barcode } from '../codes/barcode';
import { invite, type Guest } from '../households';
import { Icon } from '../icons';
import { day, sentence } from '../messages';
import type { HouseholdWords } from '../messages/households';
import type { Drawn } from '../model';
import { Sheet } from './sheet';
import { say } from './toasts';

type Made = Awaited<ReturnType<typeof invite>>;

interface InviteProps { readonly said: HouseholdWords; readonly space: string; readonly onMade: () => void }

const GUESTS: readonly Guest[] = ['member', 'viewer'];

export function Invite({ said, space, onMade }: InviteProps) {
  const role = useSignal<Guest>('member');
  const made = useSignal<Made | null>(null);
  const working = useSignal(false);
  const ask = async () => {
    working.value = true;
    await invite(space, role.value).then((one) => (made.value = one), (error: unknown) => say(sentence(error)));
    working.value = false;
    onMade();
  };
  return (
    <>
      <fieldset class="field">
        <legend class="label">{said.inviteAs}</legend>
        {GUESTS.map((one) => (
          <label key={one} class="check">
            <input type="radio" name="role" checked={role.value === one} onChange={() => (role.value = one)} />
            {said.role[one]}
          </label>
        ))}
      </fieldset>
      <button type="button" class="button main" data-testid="invite" disabled={working.value}
        onClick={() => void ask()}>
        {working.value ? said.working : said.invite}
      </button>
      <p class="soft small">{said.inviteMore}</p>
      {made.value && <Shown said={said} made={made.value} onClose={() => (made.value = null)} />}
    </>
  );
}

interface ShownProps { readonly said: HouseholdWords; readonly made: Made; readonly onClose: () => void }

function Shown({ said, made: { link, expires_at }, onClose }: ShownProps) {
  const copy = () => navigator.clipboard.writeText(link).then(() => say(said.copied), () => undefined);
  return (
    <Sheet title={said.linkTitle} onClose={onClose}>
      <div class="stack">
        <p class="small">{said.linkMore(day(expires_at))}</p>
        <QrCode text={link} label={said.qr} />
        <input class="input" readOnly value={link} data-testid="link" aria-label={said.linkTitle}
          onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="button main" onClick={() => void copy()}><Icon name="copy" />{said.copyLink}</button>
        {'share' in navigator && (
          <button type="button" class="button wide"
            onClick={() => void navigator.share({ url: link }).catch(() => undefined)}>
            {said.send}
          </button>
        )}
      </div>
    </Sheet>
  );
}

function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const [drawn, setDrawn] = useState<Drawn>();
  useEffect(() => {
    const code = { format: 'qr_code', text, raw: btoa(text) } as const;
    void import('../codes/draw').then(({ draw }) => draw(code)).then(setDrawn, () => undefined);
  }, [text]);
  return (
    <div class="preview white qr">
      {drawn && <Barcode drawn={drawn} format="qr_code" label={label} share={0.4} />}
    </div>
  );
}
