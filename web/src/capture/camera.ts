/**
 * The live camera: opened for the screen that shows it, read frame by frame until a code is seen the same way twice.
 */
import { snapshot, type Photo } from './photo';
import type { Found } from './reader';

/** Why there is no picture. */
export type CameraFault = 'denied' | 'none';

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1080 } },
};

const REFUSALS = ['NotAllowedError', 'SecurityError'];

/** Opens the camera at the back of the phone, or whichever there is. Throws a `CameraFault`. */
export async function openCamera(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    const refused = error instanceof DOMException && REFUSALS.includes(error.name);
    throw (refused ? 'denied' : 'none') satisfies CameraFault;
  }
}

export function closeCamera(stream: MediaStream | undefined): void {
  stream?.getTracks().forEach((track) => track.stop());
}

type Torch = MediaTrackCapabilities & { torch?: boolean };

export function hasTorch(stream: MediaStream): boolean {
  const [track] = stream.getVideoTracks();
  return Boolean((track?.getCapabilities?.() as Torch | undefined)?.torch);
}

export async function setTorch(stream: MediaStream, on: boolean): Promise<void> {
  await stream.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
}

/** Between two looks: enough to leave the page smooth, little enough to feel immediate. */
const PAUSE_MS = 120;
const FRAME_SIDE = 1280;
/** A linear code has no error correction: one look may be wrong, two that agree hardly. */
const LINEAR_VOTES = 2;
/** Every so many looks one is thorough: turned and small codes are found then. */
const THOROUGH_EVERY = 4;

/** Looks until a code is read; answers the codes with a photo of that moment. Rejects when `signal` aborts. */
export async function watch(video: HTMLVideoElement, signal: AbortSignal): Promise<{ photo: Photo; codes: Found[] }> {
  const { read } = await import('./reader');
  const votes = new Map<string, number>();
  for (let look = 0; ; look += 1) {
    signal.throwIfAborted();
    if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth) {
      const photo = snapshot(video);
      const codes = settled(await readFrame(read, photo, look % THOROUGH_EVERY === THOROUGH_EVERY - 1), votes);
      if (codes.length) return { photo, codes };
    }
    await pause(PAUSE_MS, signal);
  }
}

type Read = (image: ImageData, thorough: boolean) => Promise<Found[]>;

async function readFrame(read: Read, photo: Photo, thorough: boolean): Promise<Found[]> {
  const scale = Math.min(1, FRAME_SIDE / Math.max(photo.width, photo.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(photo.width * scale);
  canvas.height = Math.round(photo.height * scale);
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.drawImage(photo.canvas, 0, 0, canvas.width, canvas.height);
  const found = await read(context.getImageData(0, 0, canvas.width, canvas.height), thorough);
  return found.map((one) => ({ ...one, box: one.box.map(([x, y]) => [x / scale, y / scale] as const) }));
}

const CORRECTED = new Set(['qr_code', 'aztec', 'data_matrix', 'pdf417']);

function settled(found: Found[], votes: Map<string, number>): Found[] {
  return found.filter((one) => {
    const key = `${one.format} ${one.raw}`;
    votes.set(key, (votes.get(key) ?? 0) + 1);
    return CORRECTED.has(one.format) || votes.get(key)! >= LINEAR_VOTES;
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }, { once: true });
  });
}
