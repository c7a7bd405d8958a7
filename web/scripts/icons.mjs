/**
 * Makes the PNG icons out of public/favicon.svg, the one drawing of the mark, with a headless Chromium
 * (CHROME_PATH, else `chromium`). The results are committed: run it after changing the drawing.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const publicFolder = fileURLToPath(new URL('../public/', import.meta.url));
const mark = readFileSync(join(publicFolder, 'favicon.svg'), 'utf8');
// Systems that cut their own shape want the ground up to the edge.
const fullBleed = mark.replace('rx="112"', 'rx="0"');

const icons = [
  ['icon-192.png', 192, mark],
  ['icon-512.png', 512, mark],
  ['icon-maskable-512.png', 512, fullBleed],
  ['apple-touch-icon.png', 180, fullBleed],
];

const work = mkdtempSync(join(tmpdir(), 'icons-'));
for (const [name, size, svg] of icons) {
  const page = join(work, 'icon.html');
  const sized = svg.replace('width="512" height="512"', `width="${size}" height="${size}" style="display:block"`);
  writeFileSync(page, `<!doctype html><body style="margin:0">${sized}`);
  execFileSync(process.env.CHROME_PATH ?? 'chromium', [
    '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--default-background-color=00000000',
    '--force-device-scale-factor=1', `--window-size=${size},${size}`, `--screenshot=${join(publicFolder, name)}`, page,
  ], { stdio: 'ignore' });
}
rmSync(work, { recursive: true });
