/** Names of text encodings and the ECI designators that announce them in a symbol (AIM ITS/04-023). */

const ASSIGNED: Record<string, number> = {
  cp437: 2, 'iso-8859-1': 3, 'iso-8859-2': 4, 'iso-8859-3': 5, 'iso-8859-4': 6, 'iso-8859-5': 7, 'iso-8859-6': 8,
  'iso-8859-7': 9, 'iso-8859-8': 10, 'iso-8859-9': 11, 'iso-8859-10': 12, 'iso-8859-11': 13, 'iso-8859-13': 15,
  'iso-8859-14': 16, 'iso-8859-15': 17, 'iso-8859-16': 18, 'shift-jis': 20, 'windows-1250': 21, 'windows-1251': 22,
  'windows-1252': 23, 'windows-1256': 24, 'utf-16be': 25, 'utf-8': 26, 'us-ascii': 27, big5: 28, gb2312: 29,
  'euc-kr': 30, gbk: 31, gb18030: 32, 'utf-16le': 33, 'utf-32be': 34, 'utf-32le': 35, binary: 899,
};

/** The designator of an encoding name, or undefined where the symbol announced none. */
export function eciOf(encoding: string | undefined): number | undefined {
  return encoding === undefined ? undefined : ASSIGNED[encoding.toLowerCase().replaceAll('_', '-')];
}

/**
 * The name of the one encoding announced in bytes that follow the ECI protocol: after a symbology identifier of three
 * characters, `\` and six digits before each stretch, a backslash of the payload doubled (ISO/IEC 15424).
 */
export function encodingOf(bytes: Uint8Array): string | undefined {
  const protocol = new TextDecoder('latin1').decode(bytes.subarray(3));
  const announced = new Set([...protocol.matchAll(/(?<!\\)(?:\\\\)*\\(\d{6})/g)].map((match) => Number(match[1])));
  const [only] = announced;
  return announced.size === 1 ? Object.keys(ASSIGNED).find((name) => ASSIGNED[name] === only) : undefined;
}
