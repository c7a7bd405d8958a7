/** Where the barcode reader's WebAssembly lies: our own origin, precached, so that scanning works offline. */
export { default as readerWasmUrl } from 'karman-reader.wasm?url';
