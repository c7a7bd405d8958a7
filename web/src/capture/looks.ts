/**
 * Looks at pictures for codes, off the page's thread where the browser can draw there: a photo is looked at in several
 * ways until one finds something, a frame of the camera in two.
 */
import { read, type Found } from './reader';
import { measure, type Sight } from './sight';

/** Pixels of a picture. */
export interface Area { readonly left: number; readonly top: number; readonly width: number; readonly height: number }

/** A frame's codes, their boxes in its pixels; where there are none, what may be wrong with it. */
export interface Looked { readonly codes: readonly Found[]; readonly sight?: Sight }

interface Look { readonly side: number; readonly degrees: number; readonly thorough: boolean }

/** A first look at this size finds most codes at a quarter of the time. */
const FIRST_SIDE = 1600;
const WHOLE = Infinity;

/**
 * Looks at a photo, the cheap ones first. Linear codes are read to about fifteen degrees off the axis: the turns cover
 * what lies between.
 */
const LOOKS: readonly Look[] = [
  { side: FIRST_SIDE, degrees: 0, thorough: false },
  { side: FIRST_SIDE, degrees: 0, thorough: true },
  { side: FIRST_SIDE, degrees: 30, thorough: false },
  { side: FIRST_SIDE, degrees: -30, thorough: false },
  { side: FIRST_SIDE, degrees: 60, thorough: false },
  { side: WHOLE, degrees: 0, thorough: false },
];

/** Codes in a photo; the first look that finds any ends the search, and so does `isLeft`. */
export async function codesIn(photo: ImageBitmap, isLeft: () => boolean): Promise<Found[]> {
  const longest = Math.max(photo.width, photo.height);
  for (const { side, degrees, thorough } of LOOKS) {
    if (side === WHOLE && longest <= FIRST_SIDE) continue;
    await letOthersSpeak();
    if (isLeft()) return [];
    const { image, back } = turned(photo, Math.min(1, side / longest), degrees);
    const found = await read(image, thorough);
    if (found.length) return distinct(found.map((one) => ({ ...one, box: one.box.map(back) })));
  }
  return [];
}

const AIM_SIDE = 1280;
const FRAME_SIDE = 1280;

/** Looks where the person aims, as sharp as the camera sees it, then at the whole frame made small. */
export async function lookAt(frame: ImageBitmap, aim: Area, thorough: boolean): Promise<Looked> {
  const near = cut(frame, aim, AIM_SIDE);
  const aimed = await read(near.image, thorough);
  if (aimed.length) return { codes: placed(aimed, near) };
  const far = cut(frame, { left: 0, top: 0, width: frame.width, height: frame.height }, FRAME_SIDE);
  const codes = await read(far.image, thorough);
  return codes.length ? { codes: placed(codes, far) } : { codes, sight: measure(near.image) };
}

/** Lets a message in that says the photo is not wanted any more. */
function letOthersSpeak(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

type Point = readonly [number, number];

interface Cut { readonly image: ImageData; readonly area: Area; readonly scale: number }

function cut(frame: ImageBitmap, area: Area, side: number): Cut {
  const scale = Math.min(1, side / Math.max(area.width, area.height));
  const [width, height] = [Math.max(1, Math.round(area.width * scale)), Math.max(1, Math.round(area.height * scale))];
  const context = contextOf(width, height);
  context.drawImage(frame, area.left, area.top, area.width, area.height, 0, 0, width, height);
  return { image: context.getImageData(0, 0, width, height), area, scale };
}

function placed(found: readonly Found[], { area, scale }: Cut): Found[] {
  const back = ([x, y]: Point): Point => [area.left + x / scale, area.top + y / scale];
  return found.map((one) => ({ ...one, box: one.box.map(back) }));
}

interface Turned { readonly image: ImageData; readonly back: (point: Point) => Point }

function turned(photo: ImageBitmap, scale: number, degrees: number): Turned {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const [w, h] = [photo.width * scale, photo.height * scale];
  const width = Math.ceil(Math.abs(w * cos) + Math.abs(h * sin));
  const height = Math.ceil(Math.abs(w * sin) + Math.abs(h * cos));
  const context = contextOf(width, height);
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.translate(width / 2, height / 2);
  context.rotate(angle);
  context.drawImage(photo, -w / 2, -h / 2, w, h);
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

type Context = OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D;

function contextOf(width: number, height: number): Context {
  return canvasOf(width, height).getContext('2d', { willReadFrequently: true }) as Context;
}

/** Only on the page's own thread is there a document; only there do old browsers draw. */
function canvasOf(width: number, height: number): OffscreenCanvas | HTMLCanvasElement {
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(width, height);
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
