/**
 * From a frame, a file or nothing to what the confirm screen needs: the device reads first, the server where it cannot.
 */
import { signal, type Signal } from '@preact/signals';
import { readPhotos } from '../api';
import type { CodeReading, Draft } from '../model';
import { codesIn, fromSent, load, NotPicture, toSend, type Photo } from './photo';

/** What the server said, or is about to say, of a photo. */
export type Asked =
  | { readonly state: 'asking' }
  | { readonly state: 'answered'; readonly draft: Draft }
  | { readonly state: 'failed'; readonly error: unknown };

export interface Capture {
  readonly source: 'camera' | 'device' | 'server' | 'none' | 'typed';
  /** Absent where the browser could not decode the file. */
  readonly photo?: Photo;
  /** Codes found, the chosen ones first. */
  readonly codes: readonly CodeReading[];
  /** Absent where there is no photo to ask about. */
  readonly asked?: Signal<Asked>;
}

export function typedOnly(): Capture {
  return { source: 'typed', codes: [] };
}

/** A code the camera saw; the server is asked for the shop meanwhile. */
export function fromCamera(photo: Photo, codes: readonly CodeReading[]): Capture {
  return { source: 'camera', photo, codes, asked: askAbout(photo) };
}

/** A photo: read here first; without a code here the server is waited for, and `onAsking` says so. */
export async function fromFile(file: Blob, onAsking: () => void): Promise<Capture> {
  const photo = await load(file).catch(() => undefined);
  // A reader that does not load (an old device, a broken download) must not stop the server from reading.
  const codes = photo ? await codesIn(photo).catch(() => []) : [];
  const asked = photo ? askAbout(photo) : ask(file);
  const known = { ...(photo && { photo }), asked };
  if (codes.length) return { source: 'device', codes, ...known };
  onAsking();
  const answer = await settled(asked);
  if (answer.state === 'failed' && isNotPicture(answer.error)) throw new NotPicture();
  if (answer.state === 'answered' && answer.draft.codes.length) {
    return { source: 'server', codes: placed(answer.draft.codes, photo), ...known };
  }
  return { source: 'none', codes: [], ...known };
}

function placed(codes: readonly CodeReading[], photo: Photo | undefined): CodeReading[] {
  return codes.map(({ box, ...code }) => {
    const here = photo && fromSent(photo, box);
    return here ? { ...code, box: here } : code;
  });
}

function askAbout(photo: Photo): Signal<Asked> {
  return ask(toSend(photo));
}

function ask(file: Blob | Promise<Blob>): Signal<Asked> {
  const asked = signal<Asked>({ state: 'asking' });
  void Promise.resolve(file).then((blob) => readPhotos([blob])).then(
    (draft) => (asked.value = { state: 'answered', draft }),
    (error: unknown) => (asked.value = { state: 'failed', error }),
  );
  return asked;
}

function settled(asked: Signal<Asked>): Promise<Asked> {
  return new Promise((resolve) => {
    const stop = asked.subscribe((now) => {
      if (now.state === 'asking') return;
      resolve(now);
      queueMicrotask(() => stop());
    });
  });
}

function isNotPicture(error: unknown): boolean {
  return ['not-a-picture', 'too-large'].includes((error as { code?: string }).code ?? '');
}
