/** What may keep a code in a picture from being read: too little light, no sharp edge, bars too fine for the camera. */

/** Luminance counts 0 (black) to 255 (white). */
export interface Sight {
  /** Mean luminance. */
  readonly light: number;
  /** Between nearly the darkest and nearly the brightest pixel. */
  readonly contrast: number;
  /** The steepest edges (Laplacian) as a share of the contrast; a sharp step is about 1, a soft one near 0. */
  readonly sharpness: number;
  /** Mean width in pixels of the bars and spaces of a linear code, where some are seen. */
  readonly bar?: number;
}

/** Luminance of a picture, row by row. */
export interface Grey { readonly width: number; readonly height: number; readonly pixels: Uint8Array }

export function measure(image: Pick<ImageData, 'width' | 'height' | 'data'>): Sight {
  const grey = greyOf(image);
  const counts = new Uint32Array(256);
  for (const pixel of grey.pixels) counts[pixel]! += 1;
  const contrast = quantile(counts, 0.98) - quantile(counts, 0.02);
  const bar = barWidth(grey, contrast);
  return { light: meanOf(counts), contrast, sharpness: sharpness(halved(grey), contrast), ...(bar && { bar }) };
}

/** By ITU-R BT.601, in whole numbers. */
function greyOf({ width, height, data }: Pick<ImageData, 'width' | 'height' | 'data'>): Grey {
  const pixels = new Uint8Array(width * height);
  for (let at = 0, from = 0; at < pixels.length; at += 1, from += 4) {
    pixels[at] = (data[from]! * 77 + data[from + 1]! * 150 + data[from + 2]! * 29) >> 8;
  }
  return { width, height, pixels };
}

function meanOf(counts: Uint32Array): number {
  let [sum, number] = [0, 0];
  counts.forEach((count, value) => {
    sum += count * value;
    number += count;
  });
  return number ? sum / number : 0;
}

/** The least value that so large a share does not exceed. */
function quantile(counts: Uint32Array, share: number): number {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let value = 0; value < counts.length; value += 1) {
    below += counts[value]!;
    if (below >= all * share) return value;
  }
  return 0;
}

/** Half as wide and high: means of four pixels, in which the noise of a camera is halved and an edge is not. */
function halved({ width, height, pixels }: Grey): Grey {
  const half = { width: width >> 1, height: height >> 1 };
  const means = new Uint8Array(half.width * half.height);
  for (let y = 0, at = 0; y < half.height; y += 1) {
    for (let from = 2 * y * width, x = 0; x < half.width; x += 1, at += 1, from += 2) {
      means[at] = (pixels[from]! + pixels[from + 1]! + pixels[from + width]! + pixels[from + width + 1]!) >> 2;
    }
  }
  return { ...half, pixels: means };
}

const ROW_STEP = 2;
/** A code is a small part of what is seen: so many of its steepest points are enough. */
const STEEPEST = 0.998;

function sharpness({ width, height, pixels }: Grey, contrast: number): number {
  const counts = new Uint32Array(1021);
  for (let y = 1; y < height - 1; y += ROW_STEP) {
    for (let at = y * width + 1; at < (y + 1) * width - 1; at += 1) {
      const around = pixels[at - 1]! + pixels[at + 1]! + pixels[at - width]! + pixels[at + width]!;
      counts[Math.abs(4 * pixels[at]! - around)]! += 1;
    }
  }
  return contrast ? quantile(counts, STEEPEST) / contrast : 0;
}

// Bars

/** Between two lines that are looked along; a code is seen in several of them at the same place. */
const LINE_STEP = 6;
const LEAST_LINES = 4;
/** An EAN-8, the shortest of the linear codes, has 43 bars and spaces; a line may miss some. */
const LEAST_RUNS = 24;
const WIDEST_BAR = 12;
const ALIKE = 0.25;

interface Burst { readonly from: number; readonly to: number; readonly runs: number }

/** The mean width of bars that several lines, across or down, see at the same place. */
function barWidth(grey: Grey, contrast: number): number | undefined {
  const { width, height, pixels } = grey;
  const least = Math.max(14, contrast * 0.18);
  const across = linesOf(height, (y) => longestBurst(pixels, y * width, 1, width, least));
  const down = linesOf(width, (x) => longestBurst(pixels, x, width, height, least));
  const bars = [...alike(across), ...alike(down)].map(({ from, to, runs }) => (to - from) / runs);
  return bars.length ? bars.reduce((sum, bar) => sum + bar, 0) / bars.length : undefined;
}

function linesOf(length: number, burstAt: (place: number) => Burst | undefined): (Burst | undefined)[] {
  const lines = [];
  for (let place = 0; place < length; place += LINE_STEP) lines.push(burstAt(place));
  return lines;
}

/** The most turns from dark to light and back in a row that are close together. */
function longestBurst(
  pixels: Uint8Array, start: number, step: number, length: number, least: number,
): Burst | undefined {
  let best: Burst | undefined;
  let burst: Burst = { from: 0, to: 0, runs: 0 };
  let extreme = { value: pixels[start]!, at: 0 };
  let rising = true;
  for (let at = 1; at < length; at += 1) {
    const value = pixels[start + at * step]!;
    if (rising ? value >= extreme.value : value <= extreme.value) {
      extreme = { value, at };
    } else if (Math.abs(value - extreme.value) >= least) {
      burst = turnedAt(extreme.at, burst);
      if (burst.runs >= LEAST_RUNS && burst.runs > (best?.runs ?? 0)) best = burst;
      extreme = { value, at };
      rising = !rising;
    }
  }
  return best;
}

function turnedAt(at: number, { from, to, runs }: Burst): Burst {
  return runs > 0 && at - to <= WIDEST_BAR ? { from, to: at, runs: runs + 1 } : { from: at, to: at, runs: 1 };
}

/** The bursts of the longest stretch of neighbouring lines that see the same; print changes from line to line. */
function alike(lines: readonly (Burst | undefined)[]): Burst[] {
  let [longest, current]: [Burst[], Burst[]] = [[], []];
  for (const line of lines) {
    const before = current.at(-1);
    if (!line) current = [];
    else if (before && isSame(before, line)) current = [...current, line];
    else current = [line];
    if (current.length > longest.length) longest = current;
  }
  return longest.length >= LEAST_LINES ? longest : [];
}

function isSame(one: Burst, other: Burst): boolean {
  const length = one.to - one.from;
  return Math.abs(one.runs - other.runs) <= one.runs * ALIKE
    && Math.abs(one.from - other.from) <= length * ALIKE && Math.abs(one.to - other.to) <= length * ALIKE;
}
