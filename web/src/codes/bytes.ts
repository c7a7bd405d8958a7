/** Payload bytes of a code: base64 where it is kept, one character per byte where it is drawn. */
import type { Code } from '../model';

/** One character (U+0000 to U+00FF) per payload byte. */
export function payload(code: Pick<Code, 'raw'>): string {
  return atob(code.raw);
}

/** Base64 of a text's bytes in UTF-8, the form in which typed payloads are kept. */
export function rawOf(text: string): string {
  return rawOfBytes(new TextEncoder().encode(text));
}

/** Base64 of bytes. */
export function rawOfBytes(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Whether a code's text is all there is to it: typed again, it would be the same bytes. */
export function isText(code: Pick<Code, 'raw' | 'text'>): boolean {
  return rawOf(code.text) === code.raw;
}
