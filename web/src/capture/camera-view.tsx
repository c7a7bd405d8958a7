/**
 * The live camera with its frame: it reads by itself, stops when left, and says what to do where there is no camera.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../icons';
import { words } from '../messages';
import { closeCamera, hasTorch, openCamera, setTorch, watch, type CameraFault } from './camera';
import type { Photo } from './photo';
import type { Found } from './reader';

type State = 'starting' | 'live' | CameraFault;

export function Camera({ onRead }: { readonly onRead: (photo: Photo, codes: Found[]) => void }) {
  const { add } = words();
  const video = useRef<HTMLVideoElement>(null);
  const state = useSignal<State>('starting');
  const torch = useSignal<boolean | undefined>(undefined);
  const attempt = useSignal(0);
  const stream = useRef<MediaStream | undefined>(undefined);
  const visible = useVisible();
  useEffect(() => {
    if (!visible) return undefined;
    const stop = new AbortController();
    void run(video.current!, stop.signal, {
      opened: (opened) => {
        stream.current = opened;
        state.value = 'live';
        torch.value = hasTorch(opened) ? false : undefined;
      },
      failed: (fault) => (state.value = fault),
      read: onRead,
    });
    return () => stop.abort();
  }, [visible, attempt.value]);
  const light = () => {
    torch.value = !torch.value;
    if (stream.current) void setTorch(stream.current, torch.value).catch(() => (torch.value = undefined));
  };
  const retry = () => {
    state.value = 'starting';
    attempt.value += 1;
  };
  return (
    <div class="stack">
      <div class="camera" data-testid="camera" data-state={state.value} role="group" aria-label={add.camera}>
        <video ref={video} playsInline muted aria-hidden="true" hidden={state.value !== 'live'} />
        {state.value === 'live' && <div class="camera-frame" />}
        {state.value === 'starting' && <p class="camera-words" role="status">{add.starting}</p>}
        {(state.value === 'denied' || state.value === 'none') && <Fault text={add[state.value]} onRetry={retry} />}
        {state.value === 'live' && torch.value !== undefined && (
          <button type="button" class="round torch" aria-label={add.torch} title={add.torch} aria-pressed={torch.value}
            onClick={light}>
            <Icon name="torch" />
          </button>
        )}
      </div>
      {state.value === 'live' && <p class="soft small">{add.aim}</p>}
    </div>
  );
}

function Fault({ text, onRetry }: { readonly text: string; readonly onRetry: () => void }) {
  return (
    <div class="camera-words">
      <p role="status">{text}</p>
      <button type="button" class="button on-dark" onClick={onRetry}>{words().add.retryCamera}</button>
    </div>
  );
}

interface Heard {
  readonly opened: (stream: MediaStream) => void;
  readonly failed: (fault: CameraFault) => void;
  readonly read: (photo: Photo, codes: Found[]) => void;
}

async function run(video: HTMLVideoElement, signal: AbortSignal, heard: Heard): Promise<void> {
  let stream: MediaStream | undefined;
  try {
    // The reader is compiled while the camera starts; `watch` reports what does not load.
    void import('./reader').then((reader) => reader.warm()).catch(() => undefined);
    stream = await openCamera();
    if (signal.aborted) return;
    video.srcObject = stream;
    heard.opened(stream);
    await video.play();
    const { photo, codes } = await watch(video, signal);
    navigator.vibrate?.(40);
    heard.read(photo, codes);
  } catch (error) {
    if (!signal.aborted) heard.failed(error === 'denied' ? 'denied' : 'none');
  } finally {
    closeCamera(stream);
    video.srcObject = null;
  }
}

function useVisible(): boolean {
  const visible = useSignal(document.visibilityState === 'visible');
  useEffect(() => {
    const update = () => (visible.value = document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', update);
    return () => document.removeEventListener('visibilitychange', update);
  }, []);
  return visible.value;
}
