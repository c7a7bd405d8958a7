/**
 * The page's side of the reader: it runs on a thread of its own, so that the page stays quick under the thumb. Where a
 * browser cannot draw off the page's thread, the same looks are taken on it.
 */
import type { Area, Looked } from './looks';
import type { Found } from './reader';

export type Order =
  | { readonly kind: 'warm' }
  | { readonly kind: 'leave'; readonly id: number }
  | { readonly kind: 'photo'; readonly id: number; readonly picture: ImageBitmap }
  | {
    readonly kind: 'frame'; readonly id: number; readonly picture: ImageBitmap; readonly aim: Area;
    readonly thorough: boolean;
  };

export type Answer =
  | { readonly id: number; readonly looked: Looked; readonly frame?: ImageBitmap }
  | { readonly id: number; readonly failed: string };

/** What was seen of a frame, and the frame itself where a code was. */
export interface Seen extends Looked { readonly frame?: ImageBitmap }

interface Waiting { readonly resolve: (seen: Seen) => void; readonly reject: (error: Error) => void }

let worker: Worker | undefined;
const waiting = new Map<number, Waiting>();
let last = 0;

/** Compiles the reader ahead of the first picture. */
export function warm(): void {
  if (canLeavePage()) thread().postMessage({ kind: 'warm' } satisfies Order);
  else void import('./reader').then((reader) => reader.warm()).catch(() => undefined);
}

/** Codes in a photo, which is used up. Rejects when `signal` aborts, and where the reader does not load. */
export async function readPhoto(picture: ImageBitmap, signal: AbortSignal): Promise<readonly Found[]> {
  signal.throwIfAborted();
  if (canLeavePage()) return (await ordered((id) => ({ kind: 'photo', id, picture }), picture, signal)).codes;
  const { codesIn } = await import('./looks');
  const codes = await codesIn(picture, () => signal.aborted).finally(() => picture.close());
  signal.throwIfAborted();
  return codes;
}

/** Codes in a frame of the camera, which is used up; `aim` is where the person is to hold the code. */
export async function readFrame(
  picture: ImageBitmap, aim: Area, thorough: boolean, signal: AbortSignal,
): Promise<Seen> {
  signal.throwIfAborted();
  if (canLeavePage()) return ordered((id) => ({ kind: 'frame', id, picture, aim, thorough }), picture, signal);
  const { lookAt } = await import('./looks');
  return { ...(await lookAt(picture, aim, thorough)), frame: picture };
}

function canLeavePage(): boolean {
  return typeof Worker !== 'undefined' && typeof OffscreenCanvas !== 'undefined';
}

function ordered(make: (id: number) => Order, picture: ImageBitmap, signal: AbortSignal): Promise<Seen> {
  last += 1;
  const id = last;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    signal.addEventListener('abort', () => {
      if (waiting.delete(id)) worker?.postMessage({ kind: 'leave', id } satisfies Order);
      reject(signal.reason as Error);
    }, { once: true });
    thread().postMessage(make(id), [picture]);
  });
}

function thread(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./reader-worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => hear(data);
  worker.onerror = () => giveUp(new Error('the reader does not start'));
  return worker;
}

function hear(answer: Answer): void {
  const asker = waiting.get(answer.id);
  waiting.delete(answer.id);
  if (!('failed' in answer)) {
    if (asker) asker.resolve({ ...answer.looked, ...(answer.frame && { frame: answer.frame }) });
    else answer.frame?.close();
    return;
  }
  asker?.reject(new Error(answer.failed));
  // A reader that ran out of memory answers nothing any more: the next picture gets a new one.
  giveUp(new Error(answer.failed));
}

function giveUp(error: Error): void {
  worker?.terminate();
  worker = undefined;
  for (const { reject } of waiting.values()) reject(error);
  waiting.clear();
}
