/**
 * The live camera with its frame: it reads by itself, says what keeps a code from being read, offers a photo where that
 * takes long, stops when left, and says what to do where there is no picture.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../icons';
import { idle } from '../idle';
import { words } from '../messages';
import { aimOf, closeCamera, hasTorch, nextFrame, onTaken, openCamera, setTorch, type CameraFault } from './camera';
import type { Hint } from './hints';
import { drawn, snapshot, type Photo } from './photo';
import type { Found } from './reader';
import { readFrame, warm } from './reader-thread';
import { watch } from './watch';
import { captureWords } from './words';

type State = 'starting' | 'live' | CameraFault;

interface CameraProps {
  readonly onRead: (photo: Photo, codes: readonly Found[]) => void;
  /** The frame of this moment, to be read as a photo. */
  readonly onShot: (photo: Photo) => void;
}

export function Camera({ onRead, onShot }: CameraProps) {
  const { add } = words();
  const { video, state, stream, hint, late, retry } = useCamera(onRead);
  const isLive = state === 'live';
  return (
    <div class="stack">
      <div class="camera" data-testid="camera" data-state={state} role="group" aria-label={add.camera}>
        <video ref={video} playsInline muted aria-hidden="true" hidden={!isLive} />
        {isLive && <div class="camera-frame" />}
        {state === 'starting' && <p class="camera-words" role="status">{add.starting}</p>}
        {isFault(state) && <Fault text={captureWords()[state]} onRetry={retry} />}
        {isLive && stream && <Torch key={stream.id} stream={stream} />}
      </div>
      <div role="status" data-testid="hint" data-hint={hint}>
        {isLive && <p class={hint ? '' : 'soft small'}>{said(hint, stream)}</p>}
        {isLive && late && <p class="small soft">{captureWords().late}</p>}
      </div>
      {isLive && late && (
        <button type="button" class="button" data-testid="shoot" onClick={() => onShot(snapshot(video.current!))}>
          <Icon name="camera" />{captureWords().takeFrame}
        </button>
      )}
    </div>
  );
}

/** The camera while the page is seen, and what it makes of its frames. */
function useCamera(onRead: CameraProps['onRead']) {
  const video = useRef<HTMLVideoElement>(null);
  const state = useSignal<State>('starting');
  const hint = useSignal<Hint | undefined>(undefined);
  const late = useSignal(false);
  const attempt = useSignal(0);
  const stream = useSignal<MediaStream | undefined>(undefined);
  const visible = useVisible();
  useEffect(() => {
    if (!visible) return undefined;
    const stop = new AbortController();
    [late.value, hint.value] = [false, undefined];
    const opened = (found: MediaStream) => ([stream.value, state.value] = [found, 'live']);
    void run(video.current!, stop.signal, {
      opened, read: onRead, failed: (fault) => (state.value = fault), hint: (next) => (hint.value = next),
      late: () => (late.value = true),
    });
    return () => stop.abort();
  }, [visible, attempt.value]);
  const retry = () => {
    state.value = 'starting';
    attempt.value += 1;
  };
  return { video, state: state.value, stream: stream.value, hint: hint.value, late: late.value, retry };
}

function isFault(state: State): state is CameraFault {
  return state !== 'starting' && state !== 'live';
}

function said(hint: Hint | undefined, stream: MediaStream | undefined): string {
  const { dark, darkTorch, ...others } = captureWords();
  if (!hint) return words().add.aim;
  if (hint === 'dark') return stream && hasTorch(stream) ? darkTorch : dark;
  return others[hint];
}

function Fault({ text, onRetry }: { readonly text: string; readonly onRetry: () => void }) {
  return (
    <div class="camera-words">
      <p role="status">{text}</p>
      <button type="button" class="button on-dark" onClick={onRetry}>{words().add.retryCamera}</button>
    </div>
  );
}

/** The light of the camera, where it has one. */
function Torch({ stream }: { readonly stream: MediaStream }) {
  const { add } = words();
  const on = useSignal<boolean | undefined>(hasTorch(stream) ? false : undefined);
  const turn = () => {
    on.value = !on.value;
    void setTorch(stream, on.value).catch(() => (on.value = undefined));
  };
  if (on.value === undefined) return null;
  return (
    <button type="button" class="round torch" aria-label={add.torch} title={add.torch} aria-pressed={on.value}
      onClick={turn}>
      <Icon name="torch" />
    </button>
  );
}

interface Heard {
  readonly opened: (stream: MediaStream) => void;
  readonly failed: (fault: CameraFault) => void;
  readonly read: (photo: Photo, codes: readonly Found[]) => void;
  readonly hint: (hint: Hint | undefined) => void;
  readonly late: () => void;
}

async function run(video: HTMLVideoElement, signal: AbortSignal, heard: Heard): Promise<void> {
  let stream: MediaStream | undefined;
  try {
    // The reader is compiled while the camera starts, behind what is being drawn.
    void idle().then(warm);
    stream = await openCamera();
    if (signal.aborted) return;
    onTaken(stream, () => void (signal.aborted || heard.failed('busy')));
    video.srcObject = stream;
    heard.opened(stream);
    await video.play();
    await readFrames(video, signal, heard);
  } catch (fault) {
    if (!signal.aborted) heard.failed(fault === 'denied' || fault === 'busy' ? fault : 'none');
  } finally {
    closeCamera(stream);
    video.srcObject = null;
  }
}

/** Until a code is read. Where the reader does not work, the picture stays, and a photo of it is offered. */
async function readFrames(video: HTMLVideoElement, signal: AbortSignal, heard: Heard): Promise<void> {
  const eye = {
    next: () => nextFrame(video, signal),
    look: (frame: ImageBitmap, thorough: boolean) =>
      readFrame(frame, aimOf(sizeOf(video), frame), thorough, signal),
    now: () => performance.now(),
  };
  const caught = await watch(eye, heard).catch(() => undefined);
  if (signal.aborted) return;
  if (!caught) {
    heard.late();
    return aborted(signal);
  }
  navigator.vibrate?.(40);
  heard.read(drawn(caught.frame), [...caught.codes]);
}

function sizeOf(video: HTMLVideoElement): { width: number; height: number } {
  return { width: video.clientWidth, height: video.clientHeight };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
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
