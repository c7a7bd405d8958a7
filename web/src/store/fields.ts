/** A person's input as the sparse JSON of mutations: defaults and empty values are absent, or `null` to clear. */
import { FIELDS, type CardChanges, type CardFields } from '../model';

/** For `card.keep`: only what is set. */
export function sparse(fields: CardFields): CardFields {
  const set = FIELDS.flatMap((name) => (isEmpty(fields[name]) ? [] : [[name, fields[name]] as const]));
  return Object.fromEntries(set) as unknown as CardFields;
}

/** For `card.set`: only what is named, empty values as `null`. */
export function changes(fields: CardChanges): CardChanges {
  const named = FIELDS.filter((name) => fields[name] !== undefined);
  return Object.fromEntries(named.map((name) => [name, isEmpty(fields[name]) ? null : fields[name]]));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === false || value === '' || isEmptyList(value);
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
