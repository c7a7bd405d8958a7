/** The reader on the device: zxing compiled to WebAssembly, from our own origin, so that it works without a network. */
import { prepareZXingModule, readBarcodes, type ReaderOptions, type ReadResult } from 'zxing-wasm/reader';
import { rawOf, rawOfBytes } from '../codes/bytes';
import { encodingOf } from '../codes/eci';
import type { CodeReading, Format } from '../model';
import { readerWasmUrl } from '../reader-wasm';

const overrides = { locateFile: () => readerWasmUrl };
prepareZXingModule({ overrides });

/** A code and where it lies, in pixels of the image. */
export type Found = CodeReading & { readonly box: readonly (readonly [number, number])[] };

// Code 39 by its two plain kinds: asked for as a whole, the reader takes six letters for an Italian pharmacy number.
const WANTED: ReaderOptions['formats'] = [
  'EAN13', 'EAN8', 'UPCA', 'UPCE', 'Code128', 'Code39Std', 'Code39Ext', 'Code93', 'Codabar', 'ITF', 'QRCode', 'PDF417',
  'Aztec', 'DataMatrix',
  'DataBar', 'DataBarExp', 'DataBarExpStk', 'DataBarLtd', 'DataBarStk', 'DataBarStkOmni',
];
const BOTH: ReaderOptions = { formats: WANTED, textMode: 'Plain', tryRotate: true };
const QUICK: ReaderOptions = {
  ...BOTH, tryHarder: false, tryInvert: false, tryDownscale: false, maxNumberOfSymbols: 4,
};
const THOROUGH: ReaderOptions = { ...BOTH, tryHarder: true, tryInvert: true, tryDownscale: true, tryDenoise: true };

/** Compiles the reader ahead of the first frame. */
export async function warm(): Promise<void> {
  await prepareZXingModule({ overrides, fireImmediately: true });
}

/** Codes in an image, `thorough` for a photo, quick for one of many frames. */
export async function read(image: ImageData, thorough: boolean): Promise<Found[]> {
  const results = await readBarcodes(image, thorough ? THOROUGH : QUICK);
  return results.filter((result) => result.isValid && result.bytes.length).flatMap(found);
}

function found(result: ReadResult): Found[] {
  const format = NAMES[result.format];
  if (!format) return [];
  const number = RETAIL.has(format) ? result.text.padStart(RETAIL_DIGITS, '0') : undefined;
  const { topLeft, topRight, bottomRight, bottomLeft } = result.position;
  const encoding = result.hasECI ? encodingOf(result.bytesECI) : undefined;
  return [{
    format,
    text: number ?? result.text,
    raw: number ? rawOf(number) : rawOfBytes(result.bytes),
    ...(encoding && { encoding }),
    ...(isMarked(format, result) && { gs1: true }),
    confidence: 1,
    box: [topLeft, topRight, bottomRight, bottomLeft].map(({ x, y }) => [x, y] as const),
  }];
}

/** DataBar is GS1 by nature; the others only with FNC1 in front. */
function isMarked(format: Format, { contentType }: ReadResult): boolean {
  return contentType === 'GS1' && !format.startsWith('databar');
}

/**
 * UPC-A is the EAN-13 with a 0 in front, bar for bar; UPC-E stands for such a number. All three are kept as its 13
 * digits.
 */
const RETAIL = new Set<Format>(['ean_13', 'upc_e']);
const RETAIL_DIGITS = 13;

const NAMES: Record<string, Format> = {
  EAN13: 'ean_13', EAN8: 'ean_8', UPCA: 'ean_13', UPCE: 'upc_e', Code128: 'code_128', Code39: 'code_39',
  Code39Std: 'code_39', Code39Ext: 'code_39',
  Code93: 'code_93', Codabar: 'codabar', ITF: 'itf', ITF14: 'itf', QRCode: 'qr_code', QRCodeModel1: 'qr_code',
  QRCodeModel2: 'qr_code', PDF417: 'pdf417',
  CompactPDF417: 'pdf417', Aztec: 'aztec', AztecCode: 'aztec', DataMatrix: 'data_matrix', DataBar: 'databar',
  DataBarOmni: 'databar', DataBarLtd: 'databar',
  DataBarStk: 'databar', DataBarStkOmni: 'databar', DataBarExp: 'databar_expanded', DataBarExpStk: 'databar_expanded',
  ISBN: 'ean_13',
};
