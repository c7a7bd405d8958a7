/** GS1 element strings: where one application identifier ends and the next begins (GS1 General Specifications, 3.2 and 7.8.5). */

const GROUP_SEPARATOR = '\x1d';

/** Digits of an application identifier by its first two digits; identifiers not listed have two. */
const IDENTIFIER_DIGITS: [prefixes: RegExp, digits: number][] = [
  [/^(3[1-6]|39|43|7[02]|8[0-2])/, 4],
  [/^(23|24|25|40|41|42|71)/, 3],
];

/** Whole length, identifier included, of element strings that end without a separator, by the first two digits. */
const FIXED_LENGTHS: Record<string, number> = {
  '00': 20, '01': 16, '02': 16, '03': 16, '04': 18, 11: 8, 12: 8, 13: 8, 14: 8, 15: 8, 16: 8, 17: 8, 18: 8, 19: 8,
  20: 4, 31: 10, 32: 10, 33: 10, 34: 10, 35: 10, 36: 10, 41: 16,
};

/** As the encoder unescapes them (`parse`): in a value it would take one for the next identifier's. */
const PARENTHESIS = '^040';

/** `(01)04607001234562(10)ABC` from the payload `010460700123456210ABC`, separators dropped, parentheses in values escaped. */
export function elements(payload: string): string {
  let rest = payload;
  let result = '';
  while (rest) {
    const fixed = FIXED_LENGTHS[rest.slice(0, 2)];
    const end = fixed ?? (rest.indexOf(GROUP_SEPARATOR) + 1 || rest.length + 1) - 1;
    const element = rest.slice(0, end);
    const digits = identifierDigits(element);
    result += `(${element.slice(0, digits)})${element.slice(digits).replaceAll('(', PARENTHESIS)}`;
    rest = rest.slice(element.length).replace(/^\x1d/, '');
  }
  return result;
}

function identifierDigits(element: string): number {
  return IDENTIFIER_DIGITS.find(([prefixes]) => prefixes.test(element))?.[1] ?? 2;
}
