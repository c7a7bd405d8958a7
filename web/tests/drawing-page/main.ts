/** A page that shows codes as the till does: the shipped chunk makes the modules, the till's own component shows them. */
import { h, render } from 'preact';
import { Barcode } from '../../src/codes/barcode';
import type { Code, Drawn } from '../../src/model';
import '../../src/styles/till.css';
import './page.css';

/** As the till has it (src/till/code.tsx). */
const SHARE = 0.62;

type Draw = (code: Code) => Promise<Drawn>;
export type Box = readonly [left: number, top: number, width: number, height: number];

/** Shows the codes one below the other; gives the box of each in CSS pixels of the page, or why it cannot be drawn. */
async function show(chunk: string, codes: readonly Code[]): Promise<(Box | string)[]> {
  const { draw } = (await import(/* @vite-ignore */ chunk)) as { draw: Draw };
  const drawings = await Promise.all(codes.map((code) => draw(code).catch((error: Error) => error.message)));
  render(null, document.body);
  render(drawings.map((drawn, i) => h('div', { class: 'till-code' }, typeof drawn === 'string' ? null
    : h(Barcode, { drawn, format: codes[i]!.format, label: '', share: SHARE, mayTurn: true }))), document.body);
  await new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)));
  return drawings.map((drawn, i) => (typeof drawn === 'string' ? drawn : box(document.body.children[i]!)));
}

function box(shown: Element): Box {
  const { left, top, width, height } = shown.querySelector('svg')!.getBoundingClientRect();
  return [left + scrollX, top + scrollY, width, height];
}

Object.assign(window, { show });
