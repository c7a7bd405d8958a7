/** What screens read and do. Signals are live; verbs write IndexedDB first and the network later. */
import type { ReadonlySignal, Signal } from '@preact/signals';
import { tab } from './here';
import { languageSignal } from './language';
import type {
  Account, Card, CardChanges, CardFields, Drawn, Household, Language, OfferWish, OfferWishes, Refusal, StorageStatus,
  SyncStatus,
} from './model';

/** Cards not in the bin, archived ones included, in no particular order. */
export const cards: ReadonlySignal<readonly Card[]> = tab.shelf.cards;
/** Cards in the bin, the latest first. */
export const binned: ReadonlySignal<readonly Card[]> = tab.shelf.binned;
/** The households this person is in, by name. */
export const households: ReadonlySignal<readonly Household[]> = tab.shelf.households;
/** How this person wants to hear of offers. */
export const wishes: ReadonlySignal<OfferWishes> = tab.shelf.wishes;
export const sync: ReadonlySignal<SyncStatus> = tab.sync;
/** True on a new device whose account's cards have not come yet. */
export const coming: ReadonlySignal<boolean> = tab.coming;
export const account: ReadonlySignal<Account | null> = tab.account;
/** True once the first state has been read from IndexedDB. */
export const ready: ReadonlySignal<boolean> = tab.ready;
export const storage: ReadonlySignal<StorageStatus> = tab.shelf.storage;
/** Counts up whenever a picture has arrived on the device: read it where `picture()` is called to be told. */
export const pictures: ReadonlySignal<number> = tab.pictures;
/** Counts up whenever a drawing was made: read it where `drawn()` is called to be told. */
export const drawings: ReadonlySignal<number> = tab.drawings;
/** Set to 'device-revoked' after this device was signed out from elsewhere and its data wiped. Screens may clear it. */
export const notice: Signal<'device-revoked' | null> = tab.notice;
/** Persisted; written by the language screen. */
export const language: Signal<Language> = languageSignal();

/**
 * Keeps a new card and answers its id. Rejects with `StorageFull`, or with the browser's error when a picture cannot
 * be read; nothing is kept then.
 */
export function keep(fields: CardFields, sides: { front?: Blob; back?: Blob } = {}): Promise<string> {
  return tab.keep(fields, sides);
}

/** Sets fields one by one; `null` clears one. New pictures replace `front`/`back`. */
export function set(id: string, fields: CardChanges, sides: { front?: Blob; back?: Blob } = {}): Promise<void> {
  return tab.set(id, fields, sides);
}

/** Counts that the card was shown at a till. */
export function use(id: string): Promise<void> {
  return tab.use(id);
}

export function bin(id: string): Promise<void> {
  return tab.bin(id);
}

export function restore(id: string): Promise<void> {
  return tab.restore(id);
}

/** Moves the card into another space of the person's: their own, or a household's. */
export function move(id: string, to: string): Promise<void> {
  return tab.move(id, to);
}

/** Mutes a shop's offers or hears them again; asks for notices of offers or wants none. */
export function wish(wished: OfferWish): Promise<void> {
  return tab.wish(wished);
}

/** Keeps a copy of the card in the person's own space and answers its id. */
export function copy(id: string): Promise<string> {
  return tab.copy(id);
}

/** Whether the person may change the card, or only look at it and show it. */
export function mayEdit(card: Card): boolean {
  return tab.shelf.mayEdit(card.space);
}

/** Drops a refused edit and its data. */
export function dismiss(refusal: Refusal): Promise<void> {
  return tab.dismiss(refusal);
}

/** Keeps a refused edit's data (`refusal.copy`) as a new card, `fixes` made, and answers its id. */
export function retryAsNew(refusal: Refusal, fixes: CardChanges = {}): Promise<string> {
  return tab.retryAsNew(refusal, fixes);
}

/** A picture's bytes, from the device or else from the server; undefined where neither has it now. */
export function picture(id: string): Promise<Blob | undefined> {
  return tab.picture(id);
}

/** The card's codes as modules, aligned with `card.codes`; null where one cannot be drawn. */
export function drawn(cardId: string): Promise<readonly (Drawn | null)[]> {
  return tab.drawnCodes(cardId);
}
