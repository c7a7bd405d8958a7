/** What screens read and do. Signals are live; verbs write IndexedDB first and the network later. */
import { signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type {
  Account, Card, CardChanges, CardFields, Drawn, Language, Refusal, StorageStatus, SyncStatus,
} from './model';

/** Cards not in the bin, archived ones included, in no particular order. */
export const cards: ReadonlySignal<readonly Card[]> = signal([]);
/** Cards in the bin, the latest first. */
export const binned: ReadonlySignal<readonly Card[]> = signal([]);
export const sync: ReadonlySignal<SyncStatus> = signal({ state: 'guest', waiting: 0, refusals: [] });
export const account: ReadonlySignal<Account | null> = signal(null);
/** True once the first state has been read from IndexedDB. */
export const ready: ReadonlySignal<boolean> = signal(false);
export const storage: ReadonlySignal<StorageStatus> = signal({ full: false, persisted: false });
/** Counts up whenever a picture has arrived on the device: read it where `picture()` is called to be told. */
export const pictures: ReadonlySignal<number> = signal(0);
/** Counts up whenever a drawing was made: read it where `drawn()` is called to be told. */
export const drawings: ReadonlySignal<number> = signal(0);
/** Set to 'device-revoked' after this device was signed out from elsewhere and its data wiped. Screens may clear it. */
export const notice: Signal<'device-revoked' | null> = signal(null);
/** Persisted; written by the language screen. */
export const language: Signal<Language> = signal('ru');

/** Keeps a new card and answers its id. Throws `StorageFull`. */
export function keep(_fields: CardFields, _pictures: { front?: Blob; back?: Blob } = {}): Promise<string> {
  throw new Error('in work');
}

/** Sets fields one by one; `null` clears one. New pictures replace `front`/`back`. */
export function set(_id: string, _fields: CardChanges, _pictures: { front?: Blob; back?: Blob } = {}): Promise<void> {
  throw new Error('in work');
}

/** Counts that the card was shown at a till. */
export function use(_id: string): Promise<void> {
  throw new Error('in work');
}

export function bin(_id: string): Promise<void> {
  throw new Error('in work');
}

export function restore(_id: string): Promise<void> {
  throw new Error('in work');
}

/** Drops a refused edit and its data. */
export function dismiss(_refusal: Refusal): Promise<void> {
  throw new Error('in work');
}

/** Keeps a refused edit's data as a new card, `fixes` made, and answers its id. */
export function retryAsNew(_refusal: Refusal, _fixes: CardChanges = {}): Promise<string> {
  throw new Error('in work');
}

/** A picture's bytes, from the device or else from the server; undefined where neither has it now. */
export function picture(_id: string): Promise<Blob | undefined> {
  throw new Error('in work');
}

/** The card's codes as modules, aligned with `card.codes`; null where one cannot be drawn. */
export function drawn(_cardId: string): Promise<readonly (Drawn | null)[]> {
  throw new Error('in work');
}
