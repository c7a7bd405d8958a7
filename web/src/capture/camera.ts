/** The live camera: opened for the screen that shows it, its light, and its frames one by one. */
import type { Area } from './looks';

/** Why there is no picture: not allowed, no camera at all, or one that something else holds. */
export type CameraFault = 'denied' | 'none' | 'busy';

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 1920 }, height: { ideal: 1080 } },
};

/** Names of the exceptions of `getUserMedia` (Media Capture and Streams). */
const FAULTS: Readonly<Record<string, CameraFault>> = {
  NotAllowedError: 'denied', SecurityError: 'denied', NotReadableError: 'busy', AbortError: 'busy',
};

/** Opens the camera at the back of the phone, or whichever there is. Throws a `CameraFault`. */
export async function openCamera(): Promise<MediaStream> {
  try {
    return await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    throw faultOf(error);
  }
}

export function faultOf(error: unknown): CameraFault {
  return (error instanceof DOMException ? FAULTS[error.name] : undefined) ?? 'none';
}

export function closeCamera(stream: MediaStream | undefined): void {
  stream?.getTracks().forEach((track) => track.stop());
}

/** Calls back when the camera is taken away while it is looked through. */
export function onTaken(stream: MediaStream, listener: () => void): void {
  stream.getVideoTracks()[0]?.addEventListener('ended', listener);
}

type Torch = MediaTrackCapabilities & { torch?: boolean };

export function hasTorch(stream: MediaStream): boolean {
  const [track] = stream.getVideoTracks();
  return Boolean((track?.getCapabilities?.() as Torch | undefined)?.torch);
}

export async function setTorch(stream: MediaStream, on: boolean): Promise<void> {
  await stream.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
}

/** Browsers without frame callbacks are asked about as often as a frame may come. */
const USUAL_FRAME_MS = 50;

/** The next frame that the camera shows. Rejects when `signal` aborts. */
export async function nextFrame(video: HTMLVideoElement, signal: AbortSignal): Promise<ImageBitmap> {
  for (;;) {
    await shown(video, signal);
    const isThere = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0;
    if (isThere) return createImageBitmap(video);
  }
}

function shown(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(() => resolve());
    else setTimeout(resolve, USUAL_FRAME_MS);
  });
}

/** How far the frame drawn over the picture lies from its edges, as shares, and a little room around it. */
const AIM = { across: 0.03, down: 0.15 };

/** The part of a frame that lies under the drawn one; the picture fills its box, cut off where it is too long. */
export function aimOf(box: { readonly width: number; readonly height: number }, frame: typeof box): Area {
  const scale = Math.max(box.width / frame.width, box.height / frame.height) || 1;
  const [width, height] = [Math.min(frame.width, box.width / scale), Math.min(frame.height, box.height / scale)];
  return {
    left: Math.round((frame.width - width) / 2 + width * AIM.across),
    top: Math.round((frame.height - height) / 2 + height * AIM.down),
    width: Math.max(1, Math.round(width * (1 - 2 * AIM.across))),
    height: Math.max(1, Math.round(height * (1 - 2 * AIM.down))),
  };
}
