/** A photo of a card: decoded upright, read on the device, cut out, and made small enough to keep and to send. */
import type { CodeReading } from '../model';
import type { Found } from './reader';
import { readPhoto } from './reader-thread';

/** A decoded photo; sizes in pixels of its canvas. */
export interface Photo {
  readonly canvas: HTMLCanvasElement;
  readonly width: number;
  readonly height: number;
}

/** The file is no picture this browser can decode. */
export class NotPicture extends Error {
  override readonly name = 'NotPicture';
}

/** Browsers on phones refuse canvases over about 16 million pixels. */
const LARGEST_SIDE = 4000;
/** Enough for print on the card to stay readable, small enough for a bad network. */
const SENT_SIDE = 3000;
const KEPT_SIDE = 1400;

/** Decodes a chosen file, turned upright as its EXIF says. */
export async function load(file: Blob): Promise<Photo> {
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => {
    throw new NotPicture();
  });
  const photo = scaled(bitmap, bitmap.width, bitmap.height, LARGEST_SIDE);
  bitmap.close();
  return photo;
}

/** What a camera shows now. */
export function snapshot(video: HTMLVideoElement): Photo {
  return scaled(video, video.videoWidth, video.videoHeight, LARGEST_SIDE);
}

/** A frame of the camera, which is used up. */
export function drawn(frame: ImageBitmap): Photo {
  const photo = scaled(frame, frame.width, frame.height, LARGEST_SIDE);
  frame.close();
  return photo;
}

/** Codes in a photo, their boxes in its pixels. Rejects when `signal` aborts, and where the reader does not load. */
export async function codesIn(photo: Photo, signal: AbortSignal): Promise<readonly Found[]> {
  return readPhoto(await createImageBitmap(photo.canvas), signal);
}

/** The photo as it is kept with the card. */
export function toKeep(photo: Photo): Promise<Blob> {
  return encoded(scaled(photo.canvas, photo.width, photo.height, KEPT_SIDE), 0.82);
}

/** The photo as it goes to the server: without what the camera wrote beside the picture. */
export function toSend(photo: Photo): Promise<Blob> {
  return encoded(scaled(photo.canvas, photo.width, photo.height, SENT_SIDE), 0.9, 'image/jpeg');
}

/** A box in the photo as it was sent, in pixels of the photo itself. */
export function fromSent(photo: Photo, box: CodeReading['box']): CodeReading['box'] {
  const scale = Math.max(1, Math.max(photo.width, photo.height) / SENT_SIDE);
  return box?.map(([x, y]) => [x * scale, y * scale] as const);
}

const MARGIN = 0.32;

/** The part of a photo inside a box, with a margin for the number printed beside the code. */
export function crop(photo: Photo, box: readonly (readonly [number, number])[]): Promise<Blob> {
  const xs = box.map(([x]) => x);
  const ys = box.map(([, y]) => y);
  const pad = MARGIN * Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
  const left = Math.max(0, Math.floor(Math.min(...xs) - pad));
  const top = Math.max(0, Math.floor(Math.min(...ys) - pad));
  const width = Math.min(photo.width, Math.ceil(Math.max(...xs) + pad)) - left;
  const height = Math.min(photo.height, Math.ceil(Math.max(...ys) + pad)) - top;
  const cut = canvasOf(Math.max(1, width), Math.max(1, height));
  contextOf(cut).drawImage(photo.canvas, -left, -top);
  return encoded(scaled(cut, cut.width, cut.height, KEPT_SIDE), 0.85);
}

function scaled(source: CanvasImageSource, width: number, height: number, side: number): Photo {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = canvasOf(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
  contextOf(canvas).drawImage(source, 0, 0, canvas.width, canvas.height);
  return { canvas, width: canvas.width, height: canvas.height };
}

function canvasOf(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext('2d', { willReadFrequently: true })!;
}

/** WebP where the browser writes it, JPEG elsewhere: a PNG of a photo would be ten times as large. */
async function encoded({ canvas }: Photo, quality: number, type = 'image/webp'): Promise<Blob> {
  const blob = await toBlob(canvas, type, quality);
  return blob.type === type ? blob : toBlob(canvas, 'image/jpeg', quality);
}

function toBlob(canvas: HTMLCanvasElement, type: string, quality: number): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new NotPicture())), type, quality);
  });
}
