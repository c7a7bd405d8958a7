/** From a kept code to the modules of its symbol: the payload bytes as they were read, in the symbology they were read in. */
import {
  azteccode, code128, code39, code39ext, code93ext, databarexpanded, databaromni, datamatrix, ean13, ean8,
  interleaved2of5, pdf417, qrcode, rationalizedCodabar, upca, upce,
  type BwippOptions, type DrawingContext, type RenderOptions,
} from 'bwip-js/generic';
import type { Code, Drawn, Format } from '../model';
import { payload } from './bytes';
import { spelling } from './code39';
import { eciOf } from './eci';
import { suppressed, Uncodable, wrong } from './formats';
import { elements } from './gs1';

export { svg } from './svg';

type Encoder = (options: RenderOptions, drawing: DrawingContext<Drawn>) => Drawn;
interface Plan { encode: Encoder; text: string; options?: BwippOptions & Record<string, unknown>; unit?: number }

const GROUP_SEPARATOR = '\x1d';

/** In GS1 QR the encoder doubles a percent sign even among bytes, where readers do not halve it: better not drawn than wrong. */
const DOUBLED_PERCENT = /^(?=.*%)(?=.*[^0-9A-Z $%*+\-./:\x1d])/s;

/**
 * The symbol of one code, without quiet zone: a linear one as a single row, a matrix as its rows of modules.
 * Rejects with `Uncodable` where the symbology cannot carry the payload, so the screen can show the photo instead.
 */
export async function draw(code: Code): Promise<Drawn> {
  const text = payload(code);
  const problem = wrong(code.format, text);
  if (problem) throw new Uncodable(problem);
  if (isMisread(code, text)) throw new Uncodable('unsupported');
  const plan = PLANS[code.format](text, code);
  try {
    return encode(plan);
  } catch (error) {
    throw new Uncodable('unsupported', { cause: error });
  }
}

function isMisread({ format, gs1 }: Code, text: string): boolean {
  if (format === 'code_39') return spelling(text) === 'none';
  return format === 'qr_code' && gs1 === true && DOUBLED_PERCENT.test(text);
}

function encode({ encode: encoder, text, options, unit }: Plan): Drawn {
  const drawing = unit ? matrix(unit) : linear();
  return encoder({ bcid: '', text, scale: unit ? 1 : LINEAR_SCALE, ...options }, drawing);
}

const PLANS: Record<Format, (text: string, code: Code) => Plan> = {
  ean_13: (text) => ({ encode: ean13, text }),
  ean_8: (text) => ({ encode: ean8, text }),
  upc_a: (text) => ({ encode: upca, text: text.length === 13 ? text.slice(1) : text }),
  upc_e: (text) => ({ encode: upce, text: text.length === 8 ? text : suppressed(text)! }),
  code_128: (text, code) => ({ encode: code128, ...marked(text, code) }),
  code_39: (text) => ({ encode: spelling(text) === 'pairs' ? code39ext : code39, text }),
  code_93: (text) => ({ encode: code93ext, text, options: { includecheck: true } }),
  codabar: (text) => ({ encode: rationalizedCodabar, text: delimited(text) }),
  itf: (text) => ({ encode: interleaved2of5, text }),
  qr_code: (text, code) => ({ encode: qrcode, unit: 2, ...marked(text, code, qrOptions(text)) }),
  pdf417: (text, code) => ({ encode: pdf417, unit: 1, ...marked(text, code) }),
  aztec: (text, code) => ({ encode: azteccode, unit: 2, ...marked(text, code) }),
  data_matrix: (text, code) => ({ encode: datamatrix, unit: 2, ...marked(text, code) }),
  databar: (text) => ({ encode: databaromni, text: `(01)${text.slice(-14)}` }),
  databar_expanded: (text) => ({ encode: databarexpanded, text: elements(text), options: { dontlint: true, parse: true } }),
};

const MOST_AT_MEDIUM = 1500;

/** Pairs of bytes stay bytes: in Kanji mode a reader would take them for Shift JIS. The longest payloads need every module. */
function qrOptions(text: string): Record<string, unknown> {
  return { suppresskanjimode: true, eclevel: text.length > MOST_AT_MEDIUM ? 'L' : 'M' };
}

/** Bytes as they are, or, where the symbol carries FNC1 or an ECI, the escapes that ask the encoder for them. */
function marked(text: string, code: Code, options: Record<string, unknown> = {}): Pick<Plan, 'text' | 'options'> {
  const eci = eciOf(code.encoding);
  if (!code.gs1 && eci === undefined) return { text, options: { ...options, binarytext: true } };
  const escaped = text.replaceAll('^', '^^');
  const announced = eci === undefined ? '' : `^ECI${String(eci).padStart(6, '0')}`;
  const body = code.gs1 ? `^FNC1${announced}${escaped.replaceAll(GROUP_SEPARATOR, '^FNC1')}` : announced + escaped;
  return { text: body, options: { ...options, binarytext: true, parsefnc: true } };
}

function delimited(text: string): string {
  return /^[A-D].*[A-D]$/i.test(text) ? text.toUpperCase() : `A${text}A`;
}

/** Bars are drawn as strokes around their middle: at twice the size the middle of a bar of odd width is a whole number. */
const LINEAR_SCALE = 2;

function linear(): DrawingContext<Drawn> {
  const bars: [left: number, width: number][] = [];
  return {
    ...NOTHING,
    line: (x, _y0, _x1, _y1, width) => void bars.push([(x - width / 2) / LINEAR_SCALE, width / LINEAR_SCALE]),
    polygon: () => undefined,
    end: () => oneRow(bars),
  };
}

function oneRow(bars: [left: number, width: number][]): Drawn {
  const width = Math.max(...bars.map(([left, wide]) => left + wide));
  const modules = new Array<string>(width).fill('0');
  for (const [left, wide] of bars) modules.fill('1', left, left + wide);
  return { kind: 'linear', width, height: 1, rows: [modules.join('')] };
}

type Point = [x: number, y: number];

/** The encoder outlines regions of dark modules; a module is dark where its middle lies inside an odd number of outlines. */
function matrix(unit: number): DrawingContext<Drawn> {
  const outlines: Point[][] = [];
  let width = 0;
  let height = 0;
  return {
    ...NOTHING,
    init: (w, h) => void ([width, height] = [w / unit, h / unit]),
    line: () => undefined,
    polygon: (points) => void outlines.push(points.map(([x, y]) => [x / unit, y / unit])),
    end: () => ({ kind: 'matrix', width, height, rows: filled(outlines, width, height) }),
  };
}

function filled(outlines: Point[][], width: number, height: number): string[] {
  const edges = Array.from({ length: height }, () => new Uint8Array(width + 1));
  for (const outline of outlines) outline.forEach((from, i) => toggle(edges, from, outline[(i + 1) % outline.length]!));
  return edges.map((row) => {
    let dark = 0;
    return Array.from(row.subarray(0, width), (edge) => (dark ^= edge)).join('');
  });
}

function toggle(edges: Uint8Array[], [x, y0]: Point, [x1, y1]: Point): void {
  if (x !== x1) return;
  for (let y = Math.min(y0, y1); y < Math.max(y0, y1); y += 1) edges[y]![x]! ^= 1;
}

const NOTHING = {
  scale: () => null,
  measure: () => ({ width: 0, ascent: 0, descent: 0 }),
  init: () => undefined,
  hexagon: () => undefined,
  ellipse: () => undefined,
  fill: () => undefined,
  text: () => undefined,
};
