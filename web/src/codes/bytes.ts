/** Payload bytes of a code as base64, as one character per byte, and the names of text encodings as ECI designators. */
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

/** ECI assignment numbers (AIM ITS/04-023) of the character sets that readers announce. */
const ECI: Record<string, number> = {
  cp437: 2, 'iso-8859-1': 3, 'iso-8859-2': 4, 'iso-8859-3': 5, 'iso-8859-4': 6, 'iso-8859-5': 7, 'iso-8859-6': 8,
  'iso-8859-7': 9, 'iso-8859-8': 10, 'iso-8859-9': 11, 'iso-8859-10': 12, 'iso-8859-11': 13, 'iso-8859-13': 15,
  'iso-8859-14': 16, 'iso-8859-15': 17, 'iso-8859-16': 18, 'shift-jis': 20, 'windows-1250': 21, 'windows-1251': 22,
  'windows-1252': 23, 'windows-1256': 24, 'utf-16be': 25, 'utf-8': 26, 'us-ascii': 27, big5: 28, gb2312: 29,
  'euc-kr': 30, gbk: 31, gb18030: 32, 'utf-16le': 33, 'utf-32be': 34, 'utf-32le': 35, binary: 899,
};

/** The ECI designator of an encoding name, or undefined where the symbol announced none. */
export function eciOf(encoding: string | undefined): number | undefined {
  return encoding === undefined ? undefined : ECI[encoding.toLowerCase().replaceAll('_', '-')];
}
