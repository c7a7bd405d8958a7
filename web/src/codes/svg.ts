/** Modules as SVG: whole modules, quiet zones of the symbology, black on white whatever the theme. */
import type { Drawn, Format } from '../model';

/** Light modules a reader needs around the symbol. */
export interface Quiet { left: number; right: number; top: number; bottom: number }

const SIDES = (left: number, right = left): Quiet => ({ left, right, top: 0, bottom: 0 });
const AROUND = (modules: number): Quiet => ({ left: modules, right: modules, top: modules, bottom: modules });

/**
 * At least what the standards ask (ISO/IEC 15420, 15417, 18004, 15438 …); Aztec and DataBar need none and get a little.
 */
const QUIET: Partial<Record<Format, Quiet>> = {
  ean_13: SIDES(11, 7), ean_8: SIDES(7), upc_a: SIDES(9), upc_e: SIDES(9, 7), databar: SIDES(4),
  databar_expanded: SIDES(4),
  qr_code: AROUND(4), pdf417: AROUND(2), aztec: AROUND(2), data_matrix: AROUND(2),
};

/** The quiet zone of a symbology: ten modules beside a linear code unless its standard names another width. */
export function quietZone(format: Format | undefined, kind: Drawn['kind']): Quiet {
  return (format && QUIET[format]) ?? (kind === 'matrix' ? AROUND(4) : SIDES(10));
}

/** SVG path of the dark modules, one rectangle per run, each row `tall` units high, starting at (x, y). */
export function path(drawn: Drawn, x = 0, y = 0, tall = 1): string {
  return drawn.rows.map((row, i) => runs(row).map(([from, length]) =>
    `M${x + from} ${y + i * tall}h${length}v${tall}h-${length}z`).join('')).join('');
}

/** The same modules turned a quarter clockwise, for a code read along the long side of the page. */
export function turned(drawn: Drawn): Drawn {
  const rows = Array.from({ length: drawn.width }, (_, x) => drawn.rows.map((row) => row[x]).reverse().join(''));
  return { ...drawn, width: drawn.height, height: drawn.width, rows };
}

function runs(row: string): [from: number, length: number][] {
  return [...row.matchAll(/1+/g)].map((match) => [match.index, match[0].length]);
}

/** Height of the bars of a linear code in modules, for pictures that are not fitted to a page. */
const BAR_HEIGHT = 50;

/** A standalone picture with its quiet zone: `modulePx` CSS pixels per module. */
export function svg(drawn: Drawn, modulePx: number, format?: Format): string {
  const quiet = quietZone(format, drawn.kind);
  const tall = drawn.kind === 'linear' ? BAR_HEIGHT : 1;
  const margin = drawn.kind === 'linear' ? 4 : 0;
  const width = drawn.width + quiet.left + quiet.right;
  const height = drawn.height * tall + quiet.top + quiet.bottom + 2 * margin;
  const dark = path(drawn, quiet.left, quiet.top + margin, tall);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width * modulePx}" height="${height * modulePx}" `
    + `viewBox="0 0 ${width} ${height}" shape-rendering="crispEdges">`
    + `<path fill="#fff" d="M0 0h${width}v${height}h-${width}z"/><path fill="#000" d="${dark}"/></svg>`;
}
