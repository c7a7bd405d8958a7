/** The words everything else speaks: a card, its codes, a draft, a refusal; shaped as docs/architecture.md says. */

/** Symbologies by their W3C Shape Detection names, plus the two DataBar ones. */
export const FORMATS = [
  'ean_13', 'ean_8', 'upc_a', 'upc_e', 'code_128', 'code_39', 'code_93', 'codabar', 'itf',
  'qr_code', 'pdf417', 'aztec', 'data_matrix', 'databar', 'databar_expanded',
] as const;
export type Format = (typeof FORMATS)[number];

/** One code as decoded; `raw` is base64 of the payload bytes, `gs1` true where the symbol carries FNC1 first. */
export interface Code {
  readonly format: Format;
  readonly text: string;
  readonly raw: string;
  readonly encoding?: string;
  readonly gs1?: boolean;
}

/** `value` counts the smallest unit; `unit` is `points` or an ISO 4217 currency. */
export interface Balance {
  readonly value: number;
  readonly unit: string;
}

/** A text by language. */
export type Texts = Readonly<Record<string, string>>;

/** What a shop counts in: points, with their plural forms by language, or money (ISO 4217), in its smallest unit. */
export type Unit = { readonly points: Readonly<Record<string, readonly string[]>> } | { readonly money: string };

/** How a card is connected to its shop: by a code that the shop sends, by one from the till, or without any. */
export type Policy = 'challenge' | 'code' | 'open';

/** A balance as the shop said it, in the unit of its programme. */
export interface LiveBalance {
  readonly main: number;
  readonly pending?: number;
  readonly expiring?: readonly { readonly amount: number; readonly on: string }[];
  readonly tier?: { readonly id: string; readonly name: Texts } | null;
  readonly as_of: string;
}

/** `why`: whom the shop has chosen it for. */
export interface Offer {
  readonly id: string;
  readonly title: Texts;
  readonly text?: Texts;
  readonly terms?: Texts;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly picture?: string | null;
  readonly why: 'all' | 'tier' | 'number';
}

/** What a shop says of a connected card. The server alone writes it. */
export interface Live {
  readonly slug: string;
  readonly link: string;
  readonly policy: Policy;
  readonly since: string;
  readonly unit: Unit;
  readonly balance?: LiveBalance;
  readonly history?: readonly { readonly as_of: string; readonly main: number; readonly change?: number }[];
  readonly offers?: readonly Offer[];
  readonly alert?: { readonly kind: string; readonly at: string };
}

/** How a person wants to hear of offers: not of these shops, by their slugs; and whether by notices, too. */
export interface OfferWishes {
  readonly muted: readonly string[];
  readonly notices: boolean;
}

/** One of them set anew. */
export type OfferWish = { readonly slug: string; readonly muted: boolean } | { readonly notices: boolean };

/** What a person edits. An absent field has its default. */
export interface CardFields {
  readonly name: string;
  readonly merchant?: string;
  readonly number?: string;
  readonly codes?: readonly Code[];
  readonly pin?: string;
  readonly note?: string;
  readonly group?: string;
  readonly colour?: string;
  readonly favourite?: boolean;
  readonly archived?: boolean;
  readonly valid_from?: string;
  readonly expires_on?: string;
  readonly balance?: Balance;
  readonly front?: string;
  readonly back?: string;
}

/** The names of what a person edits. */
export const FIELDS = [
  'name', 'merchant', 'number', 'codes', 'pin', 'note', 'group', 'colour', 'favourite', 'archived',
  'valid_from', 'expires_on', 'balance', 'front', 'back',
] as const satisfies readonly (keyof CardFields)[];

/** Fields to set one by one; `null` clears one. */
export type CardChanges = { readonly [Field in keyof CardFields]?: CardFields[Field] | null };

/** A card as screens show it: edits not yet sent included; dates as the server keeps them (ISO 8601 UTC). */
export interface Card extends CardFields {
  readonly id: string;
  readonly space: string;
  readonly codes: readonly Code[];
  readonly favourite: boolean;
  readonly archived: boolean;
  readonly uses: number;
  readonly last_used_at?: string;
  readonly created_at?: string;
  readonly binned_at?: string;
  /** In a household: the account that brought the card. */
  readonly brought_by?: string;
  /** What its shop says of it, where it is connected. */
  readonly live?: Live;
}

/** Somebody in a household, under the name they gave themselves there. */
export interface Inhabitant {
  readonly id: string;
  readonly name: string;
  readonly role: 'owner' | 'member' | 'viewer';
  readonly joined_at: string;
}

/** A space that several people share; its people in the order in which they came. */
export interface Household {
  readonly id: string;
  readonly name: string;
  readonly members: readonly Inhabitant[];
}

/** A code as modules: each row a string of '1' (dark) and '0'; a linear code has one row. Sizes in modules. */
export interface Drawn {
  readonly kind: 'linear' | 'matrix';
  readonly width: number;
  readonly height: number;
  readonly rows: readonly string[];
}

/** A code read from a photo; `box` is its four corners in pixels of the photo, `confidence` 0–1. */
export interface CodeReading extends Code {
  readonly confidence: number;
  readonly votes?: number;
  readonly box?: readonly (readonly [number, number])[];
}

/** What the server read from photos (POST /api/intake). Everything in it is a suggestion. */
export interface Draft {
  readonly codes: readonly CodeReading[];
  readonly number?: { readonly text: string; readonly confidence: number; readonly check?: string } | null;
  readonly merchants: readonly DraftMerchant[];
  /** Whether the first merchant may be filled in, all of them only offered, or none is likely. */
  readonly verdict?: 'accept' | 'suggest' | 'unknown';
  readonly face?: { readonly picture?: string | null; readonly colour?: string | null } | null;
  readonly timings_ms?: Readonly<Record<string, number>>;
}

export interface DraftMerchant {
  readonly slug: string;
  readonly name: string;
  readonly score: number;
  readonly reasons: readonly (Reason | string)[];
}

/** Why the server names a shop: a code that screens put into words, and what it speaks of. */
export interface Reason {
  readonly code: string;
  readonly value?: string | number;
}

/** A shop of the directory. */
export interface Merchant {
  readonly slug: string;
  readonly name: string;
  readonly score: number;
  readonly categories: readonly string[];
}

/** RFC 9457 problem details as the server words them; `code` is what screens translate. */
export interface Problem {
  readonly code: string;
  readonly status?: number;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
}

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export type CardMutation = 'card.keep' | 'card.set' | 'card.use' | 'card.bin' | 'card.restore' | 'card.move';
export type MutationName = CardMutation | 'offers.wish';

/**
 * An edit the server refused. It stays with its data until dismissed or kept as a new card; without `copy` there is
 * nothing to keep (a picture was refused and the edit went through without it, say).
 */
export interface Refusal {
  readonly key: number;
  readonly card?: string;
  readonly name: MutationName;
  readonly args: Readonly<Record<string, unknown>>;
  readonly problem: Problem;
  /** The whole card as it looked on this device with the edit made. */
  readonly copy?: CardFields;
}

/** A signed-in device. */
export interface Device {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly current: boolean;
}

/** Whose wallet this is; `space` is the person's own. */
export interface Account {
  readonly id: string;
  readonly email: string;
  readonly device: { readonly id: string; readonly name: string };
  readonly space: string;
}

export type Language = 'ru' | 'en';

/**
 * How sync stands. `idle` is silent; `waiting` has edits on their way, or (with none) a new device's cards;
 * `signed-out` keeps everything and asks the person to sign in again; `error` carries the server's problem.
 */
export interface SyncStatus {
  readonly state: 'guest' | 'idle' | 'offline' | 'waiting' | 'signed-out' | 'error';
  readonly waiting: number;
  readonly refusals: readonly Refusal[];
  readonly problem?: Problem;
}

/** `full`: the browser refused to store more; `persisted`: it promised not to evict what is stored. */
export interface StorageStatus {
  readonly full: boolean;
  readonly persisted: boolean;
}

/** How long a deleted card lies in the bin, here as on the server. */
export const BIN_DAYS = 30;

/** The device could not store what was asked: nothing of it was kept. */
export class StorageFull extends Error {
  override readonly name = 'StorageFull';
}

/** Signing out now would lose edits the server has not taken. */
export class UnsentChanges extends Error {
  override readonly name = 'UnsentChanges';

  constructor(readonly waiting: number, readonly refused: number) {
    super(`${waiting} unsent and ${refused} refused edits`);
  }
}
