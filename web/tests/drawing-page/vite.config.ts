/** Builds the page that the drawing test opens: `vite build --config … --outDir …`. */
import { fileURLToPath } from 'node:url';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: '/assets/drawing-page/',
  plugins: [preact()],
  build: { target: 'es2022', modulePreload: false, assetsInlineLimit: 0, assetsDir: '', emptyOutDir: true },
});
