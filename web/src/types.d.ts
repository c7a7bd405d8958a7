/** The release this build belongs to, from package.json. */
declare const __APP_VERSION__: string;

declare module 'karman-reader.wasm?url' {
  const url: string;
  export default url;
}

/** Not in every browser yet. */
declare var Temporal: { readonly Now: { timeZoneId(): string } } | undefined;
