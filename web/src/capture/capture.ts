/**
 * From a frame, files or nothing to what the confirm screen needs. The device and the server read at the same time:
 * whoever finds a code first brings the person on, and what comes later is put in then.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { ApiProblem } from '../api';
import type { Code, CodeReading } from '../model';
import { inquire, until, type Inquiry } from './asking';
import { intake } from './intake';
import { codesIn, fromSent, load, NotPicture, toSend, type Photo } from './photo';

/** A code found; its box is a place in the photo of that index. */
export interface FoundCode extends CodeReading {
  readonly photo?: number;
  readonly byServer?: boolean;
}

/** Photos as they were taken; one that the browser could not decode is missing. */
export type Photos = readonly (Photo | undefined)[];

export interface Capture {
  readonly source: 'camera' | 'photo' | 'typed';
  readonly photos: Photos;
  /** The photo that shows the first code, else the first. */
  readonly photo?: Photo;
  /** Codes found, the chosen one first. */
  readonly codes: readonly FoundCode[];
  /** Absent where there is no photo to ask about. */
  readonly inquiry?: Inquiry;
  /** The photos as they are sent. */
  readonly sent: readonly Promise<Blob>[];
}

export function typedOnly(): Capture {
  return { source: 'typed', photos: [], codes: [], sent: [] };
}

/** A code the camera saw; the server is asked for the shop meanwhile. */
export function fromCamera(photo: Photo, codes: readonly CodeReading[]): Capture {
  const sent = [toSend(photo)];
  return { source: 'camera', photos: [photo], photo, codes, sent, inquiry: ask(sent) };
}

/** Photos of one card on their way to the confirm screen. */
export interface Reading {
  readonly shown: readonly Blob[];
  readonly inquiry: Inquiry;
  /** Whether the device has looked through all of them. */
  readonly looked: ReadonlySignal<boolean>;
  /** Rejects with `NotPicture` where neither the browser nor the server can decode the files. */
  readonly capture: Promise<Capture>;
  /** Goes on without waiting for a code. */
  readonly proceed: () => void;
  /** Nothing of it is wanted any more. */
  readonly leave: () => void;
}

/** Begins to read the photos of one card. */
export function readFiles(files: readonly Blob[]): Reading {
  const photos = Promise.all(files.map((file) => load(file).catch(() => undefined)));
  const sent = files.map(async (file, place) => {
    const photo = (await photos)[place];
    return photo ? toSend(photo) : file;
  });
  const inquiry = ask(sent);
  const stop = new AbortController();
  const looked = signal(false);
  let proceed = (): void => undefined;
  const skipped = new Promise<void>((resolve) => (proceed = resolve));
  const here = photos.then((all) => onDevice(all, stop.signal)).finally(() => (looked.value = true));
  const there = photos.then((all) => onServer(inquiry, all));
  const found = firstFound([here, there], skipped).finally(() => stop.abort());
  const capture = found.then(async (codes) => captureOf(await photos, codes, sent, inquiry));
  const leave = (): void => {
    stop.abort();
    inquiry.leave();
  };
  return { shown: files, inquiry, looked, capture, proceed: () => proceed(), leave };
}

function captureOf(
  photos: Photos, codes: readonly FoundCode[], sent: readonly Promise<Blob>[], inquiry: Inquiry,
): Capture {
  if (!codes.length && photos.includes(undefined) && isRefused(inquiry)) throw new NotPicture();
  return showing({ source: 'photo', photos, codes, sent, inquiry });
}

/** The same with the photo that its first code is in. */
export function showing({ photo: _photo, ...capture }: Capture): Capture {
  const photo = capture.photos[capture.codes[0]?.photo ?? 0] ?? capture.photos[0];
  return photo ? { ...capture, photo } : capture;
}

/** The same card with one more photo; the server is asked about all of them, and about less no longer. */
export function withPhoto(capture: Capture, photo: Photo): Capture {
  return askedAnew({ ...capture, photos: [...capture.photos, photo], sent: [...capture.sent, toSend(photo)] });
}

/** The same card without its last photo. */
export function withoutLast(capture: Capture): Capture {
  const photos = capture.photos.slice(0, -1);
  const codes = capture.codes.filter(({ photo = 0 }) => photo < photos.length);
  return askedAnew(showing({ ...capture, photos, codes, sent: capture.sent.slice(0, -1) }));
}

function askedAnew(capture: Capture): Capture {
  capture.inquiry?.leave();
  return { ...capture, inquiry: ask(capture.sent) };
}

function ask(sent: readonly Promise<Blob>[]): Inquiry {
  return inquire(async (tell, stop) => intake(await Promise.all(sent), tell, stop));
}

/** Codes the device finds in one photo. A reader that does not load must not stop the server from reading. */
export async function codesOf(photo: Photo, place: number, stop: AbortSignal): Promise<readonly FoundCode[]> {
  const found = await codesIn(photo, stop).catch(() => []);
  return found.map((code) => ({ ...code, photo: place }));
}

async function onDevice(photos: Photos, stop: AbortSignal): Promise<readonly FoundCode[]> {
  const found: FoundCode[] = [];
  for (const [place, photo] of photos.entries()) if (photo) found.push(...(await codesOf(photo, place, stop)));
  return onceEach(found);
}

/** Codes the server has told of, as soon as it has; none once it has looked in vain or failed. */
async function onServer({ now }: Inquiry, photos: Photos): Promise<readonly FoundCode[]> {
  // Of several photos each has a line of its own.
  const last = photos.length > 1 ? 'match' : 'barcodes';
  const { known } = await until(now, ({ state, known: { codes, done } }) =>
    state !== 'asking' || Boolean(codes?.length) || done.includes(last));
  return fromServer(known.codes ?? [], photos);
}

/** The server's codes, their boxes in pixels of the photos themselves. */
export function fromServer(codes: readonly FoundCode[], photos: Photos): readonly FoundCode[] {
  return codes.map(({ box, ...code }) => {
    const photo = photos[code.photo ?? 0];
    const here = photo && fromSent(photo, box);
    return { ...code, byServer: true, ...(here && { box: here }) };
  });
}

/** The first codes that anybody finds; none when nobody does, or the person does not want to wait. */
function firstFound(
  sources: readonly Promise<readonly FoundCode[]>[], skipped: Promise<void>,
): Promise<readonly FoundCode[]> {
  return new Promise((resolve) => {
    for (const source of sources) void source.then((found) => void (found.length && resolve(found)));
    void Promise.all(sources).then(() => resolve([]));
    void skipped.then(() => resolve([]));
  });
}

/** A reading as it is kept: without how sure the reader was and where the code lay. */
export function bare(code: Code | undefined): Code | undefined {
  if (!code) return undefined;
  const { format, text, raw, encoding, gs1 } = code;
  return { format, text, raw, ...(encoding && { encoding }), ...(gs1 && { gs1 }) };
}

/** What tells one code from another. */
export function keyOf({ format, raw }: Pick<CodeReading, 'format' | 'raw'>): string {
  return `${format} ${raw}`;
}

/** Without those that say the same as an earlier one. */
export function onceEach(codes: readonly FoundCode[]): readonly FoundCode[] {
  const seen = new Set<string>();
  return codes.filter((code) => !seen.has(keyOf(code)) && seen.add(keyOf(code)));
}

function isRefused({ now }: Inquiry): boolean {
  const asked = now.peek();
  const code = asked.state === 'failed' ? (asked.error as Partial<ApiProblem>).code : undefined;
  return code === 'not-a-picture' || code === 'too-large';
}
