/** This person's devices, each of which can be signed out from here. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { devices, revoke } from '../account';
import { Offline } from '../api';
import { Icon } from '../icons';
import { ago, sentence, words } from '../messages';
import type { Device } from '../model';
import { account, sync } from '../wallet';
import { Sheet } from './sheet';
import { say } from './toasts';

export function Devices() {
  const { account: said } = words();
  const list = useSignal<readonly Device[] | string | undefined>(undefined);
  const asked = useSignal<Device | null>(null);
  const load = () => devices().then((found) => (list.value = found), (error: unknown) => {
    list.value = error instanceof Offline ? said.devicesOffline : sentence(error);
  });
  const { state } = sync.value;
  // Asked again once the network is back or the person has signed in again.
  useEffect(() => void load(), [state === 'offline', state === 'signed-out', account.value?.device.id]);
  const signOutThere = async (device: Device) => {
    asked.value = null;
    await revoke(device.id).then(() => say(said.revoked), (error: unknown) => say(sentence(error)));
    await load();
  };
  return (
    <section class="stack block">
      <h2>{said.devices}</h2>
      {typeof list.value === 'string' && <p class="soft">{list.value}</p>}
      {Array.isArray(list.value) && (
        <ul>
          {list.value.map((device: Device) => (
            <li key={device.id}><Row device={device} onRevoke={() => (asked.value = device)} /></li>
          ))}
        </ul>
      )}
      {asked.value && (
        <Ask device={asked.value} onYes={(device) => void signOutThere(device)} onClose={() => (asked.value = null)} />
      )}
    </section>
  );
}

function Row({ device, onRevoke }: { readonly device: Device; readonly onRevoke: () => void }) {
  const { account: said } = words();
  return (
    <div class="row row-flush" data-testid="device">
      <Icon name="phone" />
      <span class="row-name">
        {device.name}
        <small class="soft tiny row-under">{device.current ? said.thisDevice : said.seen(ago(device.last_seen_at))}</small>
      </span>
      {!device.current && (
        <button type="button" class="button" data-testid="revoke" aria-label={`${said.revoke}: ${device.name}`}
          onClick={onRevoke}>
          {said.revoke}
        </button>
      )}
    </div>
  );
}

interface AskProps { readonly device: Device; readonly onYes: (device: Device) => void; readonly onClose: () => void }

function Ask({ device, onYes, onClose }: AskProps) {
  const { account: said, common } = words();
  return (
    <Sheet title={said.revoke} onClose={onClose}>
      <div class="stack">
        <p>{said.revokeAsk(device.name)}</p>
        <button type="button" class="button danger wide" data-testid="revoke-yes" onClick={() => onYes(device)}>
          {said.revoke}
        </button>
        <button type="button" class="button wide" onClick={onClose}>{common.cancel}</button>
      </div>
    </Sheet>
  );
}
