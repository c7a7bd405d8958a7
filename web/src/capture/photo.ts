/** A photo of a card: decoded upright, read on the device, cut out, and made small enough to keep and to send. */
import type { CodeReading } from '../model';
import type { Found } from './reader';

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
/** A first look at this size finds most codes at a quarter of the time. */
const FIRST_LOOK_SIDE = 1600;
interface Look { readonly side: number; readonly degrees: number; readonly thorough: boolean }

/**
 * Looks at a photo, the cheap ones first. Linear codes are read to about fifteen degrees off the axis: the turns cover
 * what lies between. A photo without a code costs all of them, on the thread that draws the page.
 */
const LOOKS: readonly Look[] = [
  { side: FIRST_LOOK_SIDE, degrees: 0, thorough: false },
  { side: FIRST_LOOK_SIDE, degrees: 0, thorough: true },
  { side: FIRST_LOOK_SIDE, degrees: 30, thorough: false },
  { side: FIRST_LOOK_SIDE, degrees: -30, thorough: false },
  { side: FIRST_LOOK_SIDE, degrees: 60, thorough: false },
  { side: LARGEST_SIDE, degrees: 0, thorough: false },
];

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

/** Codes in a photo, their boxes in its pixels; the first look that finds any ends the search. */
export async function codesIn(photo: Photo): Promise<Found[]> {
  const { read } = await import('./reader');
  const longest = Math.max(photo.width, photo.height);
  for (const { side, degrees, thorough } of LOOKS) {
    if (side === LARGEST_SIDE && longest <= FIRST_LOOK_SIDE) continue;
    const { image, back } = turnedImage(photo, Math.min(1, side / longest), degrees);
    const found = await read(image, thorough);
    if (found.length) return distinct(found.map((one) => ({ ...one, box: one.box.map(back) })));
  }
  return [];
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

type Point = readonly [number, number];

interface Turned { readonly image: ImageData; readonly back: (point: Point) => Point }

function turnedImage(photo: Photo, scale: number, degrees: number): Turned {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [w, h] = [photo.width * scale, photo.height * scale];
  const width = Math.ceil(Math.abs(w * cos) + Math.abs(h * sin));
  const height = Math.ceil(Math.abs(w * sin) + Math.abs(h * cos));
  const context = contextOf(canvasOf(width, height));
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.translate(width / 2, height / 2);
  context.rotate(angle);
  context.drawImage(photo.canvas, -w / 2, -h / 2, w, h);
  const back = ([x, y]: Point): Point => {
    const [dx, dy] = [x - width / 2, y - height / 2];
    return [(dx * cos + dy * sin + w / 2) / scale, (dy * cos - dx * sin + h / 2) / scale];
  };
  return { image: context.getImageData(0, 0, width, height), back };
}

function distinct(found: Found[]): Found[] {
  const same = (one: Found) => found.find((other) => other.format === one.format && other.raw === one.raw);
  return found.filter((one) => same(one) === one);
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
