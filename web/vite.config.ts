/** How the PWA is built: one shell that is precached, everything heavy in chunks of its own. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import preact from '@preact/preset-vite';
import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

const require = createRequire(import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

const readerWasm = require.resolve('zxing-wasm/reader/zxing_reader.wasm');

const FIRST_LOAD_LIMIT_BYTES = 60_000;

/** Fails the build when the script of the first load, the entry and what it imports at once, outgrows its limit. */
function firstLoadLimit(): Plugin {
  return {
    name: 'first-load-limit',
    generateBundle(_options, bundle) {
      const entries = Object.values(bundle).filter((one) => one.type === 'chunk' && one.isEntry);
      const names = new Set(entries.map((one) => one.fileName));
      let bytes = 0;
      for (const name of names) {
        const chunk = bundle[name];
        if (chunk?.type !== 'chunk') continue;
        bytes += gzipSync(chunk.code).length;
        for (const imported of chunk.imports) names.add(imported);
      }
      if (bytes > FIRST_LOAD_LIMIT_BYTES) this.error(`the first load takes ${bytes} bytes of script`);
    },
  };
}

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify(version) },
  resolve: { alias: [{ find: /^karman-reader\.wasm(\?.*)?$/, replacement: `${readerWasm}$1` }] },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      checks: { pluginTimings: false },
      // One file: cut up for what later screens share of it, it would be fetched in seven.
      output: { codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] } },
    },
  },
  // Parts of the reader's thread are chunks of their own.
  worker: { format: 'es' },
  server: { proxy: { '/api': process.env['KARMAN_API'] ?? 'http://localhost:8000' } },
  plugins: [
    preact(),
    firstLoadLimit(),
    VitePWA({
      registerType: 'prompt',
      injectRegister: false,
      // Taken in by globPatterns; listed twice they would be fetched twice.
      includeAssets: [],
      includeManifestIcons: false,
      manifest: {
        id: '/',
        name: 'Карман',
        short_name: 'Карман',
        lang: 'ru',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#faf8f4',
        theme_color: '#faf8f4',
        categories: ['shopping', 'utilities'],
        icons: [
          { src: '/favicon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' },
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png', purpose: 'any' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png', purpose: 'any' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
        // Answered by the service worker: src/capture/shared.ts says the same.
        share_target: {
          action: '/add/shared',
          method: 'POST',
          enctype: 'multipart/form-data',
          params: { files: [{ name: 'photo', accept: ['image/*'] }] },
        },
        shortcuts: [{ name: 'Добавить карту · Add a card', short_name: '+', url: '/add' }],
      },
      strategies: 'injectManifest',
      srcDir: 'src/worker',
      filename: 'sw.ts',
      injectManifest: {
        // One file of plain script, as `register` expects it.
        rollupFormat: 'iife',
        globPatterns: ['**/*.{js,css,html,svg,png,wasm}'],
        maximumFileSizeToCacheInBytes: 6 * 1024 * 1024,
      },
    }),
  ],
  test: { environment: 'node', include: ['tests/**/*.test.ts'], setupFiles: ['tests/setup.ts'], testTimeout: 30_000 },
});
