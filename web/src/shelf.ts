/** The open data of one owner in this tab: what is stored, as signals, and the one way to change it. */
import { computed, signal } from '@preact/signals';
import {
  StorageFull, type Card, type Household, type OfferWishes, type Refusal, type StorageStatus,
} from './model';
import { open, type Database, type Mutation, type StoredPicture } from './store/database';
import type { Owner } from './store/owners';
import { applyAsGuest, dropRefusal, enqueue, isUnsentEdit, requeue } from './store/queue';
import { CardViews, householdsOf, snapshot, wishesOf, type State } from './store/state';

export class Shelf {
  readonly all = signal<readonly Card[]>([]);
  readonly cards = computed(() => this.all.value.filter((card) => !card.binned_at));
  readonly binned = computed(() => this.all.value.filter((card) => card.binned_at).sort(latestBinned));
  /** Edits of the person's that the server has not taken. That a card was shown is no edit of theirs. */
  readonly unsent = signal(0);
  /** False until an account's first pull has come. */
  readonly pulled = signal(false);
  readonly refusals = signal<readonly Refusal[]>([]);
  readonly households = signal<readonly Household[]>([]);
  readonly wishes = signal<OfferWishes>({ muted: [], notices: false });
  readonly storage = signal<StorageStatus>({ full: false, persisted: false });

  private openOwner: Owner | undefined;
  private database: Database | undefined;
  private views = new CardViews();
  private reads = { started: 0, shown: 0 };

  get db(): Database {
    if (!this.database) throw new Error('no data is open');
    return this.database;
  }

  get owner(): Owner {
    if (!this.openOwner) throw new Error('no data is open');
    return this.openOwner;
  }

  async open(owner: Owner, onLost: () => void): Promise<void> {
    this.close();
    this.database = await open(owner.database, onLost);
    this.openOwner = owner;
    this.views = new CardViews();
    await this.refresh();
  }

  close(): void {
    this.database?.close();
    this.database = undefined;
    this.reads.shown = ++this.reads.started;
    this.show({ rows: [], queue: [], refusals: [], contained: 0, client: '', pulled: false });
  }

  shows(database: string): boolean {
    return this.openOwner?.database === database;
  }

  find(id: string): Card | undefined {
    return this.all.peek().find((card) => card.id === id);
  }

  /** Whether the person may change what stands in a space. */
  mayEdit(space: string): boolean {
    const household = this.households.value.find(({ id }) => id === space);
    const mine = household?.members.find(({ id }) => id === this.owner.account?.id);
    return mine?.role !== 'viewer';
  }

  /** Reads the stored state again and shows it. Of overlapping reads the one begun last wins. */
  async refresh(): Promise<void> {
    const read = ++this.reads.started;
    const state = await snapshot(this.db);
    if (read < this.reads.shown) return;
    this.reads.shown = read;
    this.show(state);
  }

  /** Stores the mutations and pictures, in the queue or (a guest's) at once, and shows the result. */
  async commit(mutations: readonly Mutation[], pictures: readonly StoredPicture[] = []): Promise<void> {
    await this.store(async () => {
      if (this.owner.account) return enqueue(this.db, mutations, pictures);
      for (const mutation of mutations) await applyAsGuest(this.db, mutation, pictures);
    });
  }

  async dismiss(refusal: Refusal): Promise<void> {
    await this.store(() => dropRefusal(this.db, refusal.key));
  }

  async requeue(
    mutation: Mutation, pictures: readonly StoredPicture[], refusals: readonly Refusal[],
  ): Promise<void> {
    await this.store(() => requeue(this.db, mutation, pictures, refusals.map(({ key }) => key)));
  }

  noteFull(): void {
    this.storage.value = { ...this.storage.peek(), full: true };
  }

  notePersisted(persisted: boolean): void {
    this.storage.value = { ...this.storage.peek(), persisted };
  }

  /** Does the write, shows its result, and keeps in view whether the device still has room. */
  async store(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof StorageFull) this.noteFull();
      throw error;
    }
    if (this.storage.peek().full) this.storage.value = { ...this.storage.peek(), full: false };
    await this.refresh();
  }

  private show(state: State): void {
    this.all.value = this.views.of(state);
    this.households.value = householdsOf(state);
    this.wishes.value = wishesOf(state, this.openOwner?.space ?? '');
    this.pulled.value = state.pulled;
    this.unsent.value = state.queue.filter(isUnsentEdit).length;
    this.refusals.value = state.refusals.map(({ key = 0, guest: _guest, ...refusal }) => ({
      ...refusal,
      key,
      card: refusal.args.id,
    }));
  }
}

function latestBinned(one: Card, other: Card): number {
  return (other.binned_at ?? '').localeCompare(one.binned_at ?? '');
}
