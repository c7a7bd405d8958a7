/** A card as the fields of a form, and back: which of them were changed. */
import { rawOf } from '../codes/bytes';
import { clean, codeText } from '../codes/typed';
import { minorDigits } from '../messages/format';
import type { Balance, Card, CardChanges, Code } from '../model';
import type { Shop } from './shop-box';

/** Texts as typed; `front` and `back` are kept pictures. */
export interface Edit {
  readonly shop: Shop;
  readonly number: string;
  readonly codes: readonly Code[];
  readonly pin: string;
  readonly note: string;
  readonly group: string;
  readonly colour: string | undefined;
  readonly favourite: boolean;
  readonly archived: boolean;
  readonly validFrom: string;
  readonly expiresOn: string;
  readonly balance: string;
  readonly unit: string;
  readonly front: string | undefined;
  readonly back: string | undefined;
}

export function editOf(card: Card): Edit {
  const { balance } = card;
  return {
    shop: { name: card.name, merchant: card.merchant }, number: card.number ?? '', codes: card.codes,
    pin: card.pin ?? '', note: card.note ?? '',
    group: card.group ?? '', colour: card.colour, favourite: card.favourite, archived: card.archived,
    validFrom: card.valid_from ?? '',
    expiresOn: card.expires_on ?? '', balance: balance ? amountText(balance) : '', unit: balance?.unit ?? 'points',
    front: card.front, back: card.back,
  };
}

function amountText({ value, unit }: Balance): string {
  const digits = minorDigits(unit);
  return (value / 10 ** digits).toFixed(digits);
}

/** The amount typed, of the smallest unit; undefined where nothing is, null where it is no number. */
export function amountOf(text: string, unit: string): Balance | undefined | null {
  const plain = text.replace(/[\s\u00a0\u202f']/g, '').replace(',', '.').replace('−', '-');
  if (!plain) return undefined;
  if (!/^-?\d+(\.\d+)?$/.test(plain)) return null;
  const value = Math.round(Number(plain) * 10 ** minorDigits(unit));
  return Number.isSafeInteger(value) ? { value, unit } : null;
}

/** A name that ends as it was keeps the card's shop, unless another was chosen: typing goes by way of other names. */
export function relinked(card: Card, shop: Shop): Shop {
  return !shop.merchant && clean(shop.name) === card.name ? { ...shop, merchant: card.merchant } : shop;
}

/** The fields that differ from the card; null clears one. */
export function changesOf(card: Card, edit: Edit): CardChanges {
  const next = nextOf(edit);
  const differs = (field: keyof typeof next) =>
    JSON.stringify(next[field] ?? null) !== JSON.stringify(blankAsNull(card[field]));
  const changed = (Object.keys(next) as (keyof typeof next)[]).filter(differs);
  return Object.fromEntries(changed.map((field) => [field, next[field] ?? null]));
}

function nextOf(edit: Edit) {
  const codes = edit.codes.filter((code) => code.text);
  return {
    name: clean(edit.shop.name), merchant: edit.shop.merchant, number: clean(edit.number) || undefined,
    codes: codes.length ? codes : undefined,
    pin: clean(edit.pin) || undefined, note: edit.note.trim() || undefined, group: clean(edit.group) || undefined,
    colour: edit.colour,
    favourite: edit.favourite || undefined, archived: edit.archived || undefined,
    valid_from: edit.validFrom || undefined,
    expires_on: edit.expiresOn || undefined, balance: amountOf(edit.balance, edit.unit) ?? undefined, front: edit.front,
    back: edit.back,
  };
}

function blankAsNull(value: unknown): unknown {
  const blank = value === undefined || value === false || (Array.isArray(value) && !value.length);
  return blank ? null : value;
}

/** Whether the edit makes it another card for its shop, as the server judges: a connection ends then. */
export function isAnother(card: Card, edit: Edit): boolean {
  const next = nextOf(edit);
  return identity(card.merchant, card.number, card.codes) !== identity(next.merchant, next.number, next.codes);
}

function identity(merchant = '', number = '', [code]: readonly Code[] = []): string {
  return JSON.stringify([merchant, number.replace(/[^\p{L}\p{N}]/gu, '').toUpperCase(), code?.text]);
}

/** A code whose text was typed over: what it held before, its encoding included, is gone. */
export function retyped(code: Code, text: string): Code {
  return { format: code.format, text, raw: rawOf(text) };
}

/**
 * The fields a changed number changes: also the first code where it is the number and was not changed by itself, or the
 * till would show the old one. An emptied number leaves the card's code.
 */
export function renumbered(card: Card, edit: Edit, number: string): Pick<Edit, 'number' | 'codes'> {
  const [shown, ...others] = edit.codes;
  if (!shown || shown.text !== followed(card, edit.number)?.text) return { number, codes: edit.codes };
  return { number, codes: [{ ...followed(card, number)!, format: shown.format }, ...others] };
}

/** The card's first code with this number in it; undefined where the code is not the card's number. */
function followed(card: Card, number: string): Code | undefined {
  const [code] = card.codes;
  if (!code?.text || code.text !== asCode(card.number ?? '')) return undefined;
  const text = asCode(number);
  return text && text !== code.text ? retyped(code, text) : code;
}

function asCode(number: string): string {
  return codeText(clean(number));
}
