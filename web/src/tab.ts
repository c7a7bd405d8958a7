/**
 * One tab's wallet: the signals screens read and the verbs they call. Every verb writes IndexedDB first; the
 * network follows by itself.
 */
import { computed, signal } from '@preact/signals';
import { Api } from './api';
import { timestamp, uuid7 } from './ids';
import {
  type Account, type Card, type CardChanges, type CardFields, type CardMutation, type Drawn, type OfferWish, type Refusal,
  type SyncStatus,
} from './model';
import type { Platform, Word } from './platform';
import { Shelf } from './shelf';
import { wishArguments, type Arguments, type Mutation, type StoredPicture } from './store/database';
import { drawCodes, forgetOthers, kept } from './store/drawings';
import { changes, sparse } from './store/fields';
import { mutate, withFields } from './store/mutators';
import type { Owner } from './store/owners';
import { anew, blobOf, collect, prepare, type Sides } from './store/pictures';
import { Engine, WELL, type Report } from './sync/engine';
import { download } from './sync/pictures';

/** What the tab asks of whoever signs in and out. */
export interface Sessions {
  onAdopted(ids: readonly string[]): Promise<void>;
  onExchanged(account: Account): void;
  onRevoked(account: Account): void;
}

/** Another tab that made an edit sends it itself; this one steps in should that tab be gone. */
const STEP_IN_MS = 1_000;

export class Tab {
  readonly shelf = new Shelf();
  readonly api: Api;
  readonly account = signal<Account | null>(null);
  readonly ready = signal(false);
  readonly notice = signal<'device-revoked' | null>(null);
  readonly pictures = signal(0);
  readonly drawings = signal(0);
  readonly report = signal<Report>(WELL);
  readonly sync = computed(() => this.status());
  /** Nothing can be shown before the account's first pull has come. */
  readonly coming = computed(() => {
    const { pulled, cards } = this.shelf;
    return this.account.value !== null && !pulled.value && !cards.value.length;
  });
  engine: Engine | undefined;
  /** Set by the session this tab belongs to. */
  sessions: Sessions | undefined;

  private readonly opened = latch();
  private drawn = new WeakSet<Card>();
  private drawing = Promise.resolve();
  private askedToPersist = false;

  constructor(readonly platform: Platform) {
    this.api = new Api(platform.fetch);
    platform.onWord((word) => this.hear(word));
    platform.onWake(() => this.engine?.soon());
    platform.onOffline(() => (this.report.value = { ...this.report.peek(), offline: true }));
  }

  /** Shows this owner's data from now on, and syncs it if there is an account. */
  async open(owner: Owner): Promise<void> {
    await this.engine?.stop();
    this.engine = undefined;
    // Phones drop connections of pages in the background.
    await this.shelf.open(owner, () => void this.open(owner).catch((error: unknown) => this.fail(error)));
    this.account.value = owner.account;
    this.report.value = { ...WELL, offline: !this.platform.isOnline() };
    this.ready.value = true;
    this.opened.release();
    if (owner.account) this.startEngine(owner.account);
    this.tidy();
  }

  /** Shows an empty wallet and why: the browser gives no storage. */
  fail(error: unknown): void {
    this.report.value = { ...WELL, problem: { code: 'storage-unavailable', detail: String(error) } };
    this.ready.value = true;
    this.opened.release();
  }

  async keep(fields: CardFields, sides: Sides<Blob> = {}): Promise<string> {
    await this.opened.passed;
    const id = uuid7();
    const { pictures, fields: named } = await prepare(sides, this.shelf.owner.space, this.platform.shrink);
    const card = sparse({ ...fields, ...named });
    await this.commit([this.mutation('card.keep', id, { card })], pictures);
    void this.askToPersist();
    return id;
  }

  async set(id: string, fields: CardChanges, sides: Sides<Blob> = {}): Promise<void> {
    const card = await this.existing(id);
    const { pictures, fields: named } = await prepare(sides, card.space, this.platform.shrink);
    const changed = changes({ ...fields, ...named });
    if (Object.keys(changed).length) await this.commit([this.mutation('card.set', id, { fields: changed })], pictures);
  }

  async use(id: string): Promise<void> {
    await this.existing(id);
    await this.commit([this.mutation('card.use', id, { use: uuid7(), at: timestamp() })]);
  }

  async bin(id: string): Promise<void> {
    await this.existing(id);
    await this.commit([this.mutation('card.bin', id)]);
  }

  async restore(id: string): Promise<void> {
    await this.existing(id);
    await this.commit([this.mutation('card.restore', id)]);
  }

  async move(id: string, to: string): Promise<void> {
    await this.existing(id);
    await this.commit([this.mutation('card.move', id, { to })]);
  }

  async wish(wish: OfferWish): Promise<void> {
    await this.opened.passed;
    const args = wishArguments(this.shelf.owner.space, wish);
    await this.commit([{ name: 'offers.wish', args, made_at: timestamp() }]);
  }

  /** Keeps a copy of somebody else's card in the own space and answers its id. */
  async copy(id: string): Promise<string> {
    const card = await this.existing(id);
    const [front, back] = await Promise.all([card.front, card.back].map((side) => side && this.picture(side)));
    const { front: _front, back: _back, ...fields } = sparse(card);
    return this.keep(fields, { ...(front && { front }), ...(back && { back }) });
  }

  async dismiss(refusal: Refusal): Promise<void> {
    await this.shelf.dismiss(refusal);
    this.changed();
  }

  async retryAsNew(refusal: Refusal, fixes: CardChanges = {}): Promise<string> {
    const related = this.shelf.refusals.peek().filter(({ card, copy }) => copy && card === refusal.card);
    // The latest copy holds the earlier edits too.
    const copy = related.at(-1)?.copy;
    if (!copy) throw new Error('the refusal holds no card');
    const id = uuid7();
    const fixed = withFields(copy, changes(fixes));
    // The space they were uploaded to may be closed to this person by now.
    const { pictures, fields } = await anew(this.shelf.db, fixed, this.shelf.owner.space);
    const card = sparse({ ...withFields(fixed, { front: null, back: null }), ...fields });
    await this.shelf.requeue(this.mutation('card.keep', id, { card }), pictures, related);
    this.changed();
    return id;
  }

  async picture(id: string): Promise<Blob | undefined> {
    await this.opened.passed;
    const here = await this.shelf.db.get('pictures', id);
    return here ? blobOf(here) : this.fetchPicture(id);
  }

  async drawnCodes(cardId: string): Promise<readonly (Drawn | null)[]> {
    const card = await this.existing(cardId);
    return (await kept(this.shelf.db, card, this.platform.pen.release)) ?? this.draw(card);
  }

  /** Tells the other tabs and the engine that something was stored. */
  changed(): void {
    this.platform.tell({ type: 'changed', database: this.shelf.owner.database });
    this.engine?.soon();
    this.drawMissing();
  }

  private async commit(mutations: readonly Mutation[], pictures: readonly StoredPicture[] = []): Promise<void> {
    await this.shelf.commit(mutations, pictures);
    this.changed();
  }

  private mutation(name: CardMutation, id: string, rest: Readonly<Record<string, unknown>> = {}): Mutation {
    const card = this.shelf.find(id);
    const args: Arguments = { space: card?.space ?? this.shelf.owner.space, id, ...rest };
    const made = { name, args, made_at: timestamp() };
    const after = mutate(card, made);
    return after ? { ...made, copy: sparse(after) } : made;
  }

  private async existing(id: string): Promise<Card> {
    await this.opened.passed;
    const card = this.shelf.find(id);
    if (!card) throw new Error(`no card ${id}`);
    return card;
  }

  private startEngine(account: Account): void {
    this.engine = new Engine({
      api: this.api,
      db: this.shelf.db,
      account: account.id,
      platform: this.platform,
      cards: () => this.shelf.all.peek(),
      onAdopted: async (ids) => this.sessions?.onAdopted(ids),
      onChange: () => this.synced(),
      onPicture: () => this.pictures.value++,
      onReport: (report) => this.exchanged(account, report),
      onStorageFull: () => this.shelf.noteFull(),
      onRevoked: () => this.sessions?.onRevoked(account),
    });
    this.engine.start();
  }

  private async synced(): Promise<void> {
    await this.shelf.refresh();
    this.platform.tell({ type: 'changed', database: this.shelf.owner.database });
    this.tidy();
  }

  private exchanged(account: Account, report: Report): void {
    this.report.value = report;
    if (report === WELL) this.sessions?.onExchanged(account);
  }

  private hear(word: Word): void {
    if (word.type === 'switched') return this.follow(word.wiped);
    if (this.ready.peek() && this.shelf.shows(word.database)) void this.catchUp().catch(() => undefined);
  }

  /** What is wiped must not stay in view; what is typed here may be kept first when somebody just signed in. */
  private follow(wiped: string | undefined): void {
    this.platform.reload(wiped !== undefined && this.shelf.shows(wiped) ? 'now' : 'saved');
  }

  private async catchUp(): Promise<void> {
    await this.shelf.refresh();
    this.pictures.value++;
    this.drawings.value++;
    const { offline, problem } = this.report.peek();
    // After a failure each tab keeps its own pace, or two of them would keep waking each other.
    if (this.shelf.unsent.peek() && !offline && !problem) this.engine?.soon(STEP_IN_MS);
  }

  private status(): SyncStatus {
    const { offline, signedOut, problem } = this.report.value;
    const waiting = this.shelf.unsent.value;
    const refusals = this.shelf.refusals.value;
    const account = this.account.value;
    if (problem) return { state: 'error', waiting, refusals, problem };
    if (!account) return { state: 'guest', waiting, refusals };
    if (signedOut) return { state: 'signed-out', waiting, refusals };
    const busy = waiting > 0 || !this.shelf.pulled.value;
    return { state: offline ? 'offline' : busy ? 'waiting' : 'idle', waiting, refusals };
  }

  private async fetchPicture(id: string): Promise<Blob | undefined> {
    const card = this.shelf.all.peek().find(({ front, back }) => front === id || back === id);
    const account = this.account.peek();
    if (!card || !account) return undefined;
    const server = { api: this.api, db: this.shelf.db, account: account.id };
    const picture = await download(server, card.space, id).catch(() => undefined);
    return picture && blobOf(picture);
  }

  private async draw(card: Card): Promise<readonly (Drawn | null)[]> {
    const drawings = await drawCodes(this.shelf.db, card, this.platform.pen).catch(() => undefined);
    return drawings ?? card.codes.map(() => null);
  }

  /** Draws what has no drawing yet, one card at a time, behind whatever the person is doing. */
  private drawMissing(): void {
    this.drawing = this.drawing.then(async () => {
      for (const card of this.shelf.all.peek()) {
        if (this.drawn.has(card)) continue;
        this.drawn.add(card);
        await this.drawOne(card).catch(() => this.drawn.delete(card));
      }
    });
  }

  private async drawOne(card: Card): Promise<void> {
    if (await kept(this.shelf.db, card, this.platform.pen.release)) return;
    await drawCodes(this.shelf.db, card, this.platform.pen);
    this.drawings.value++;
  }

  private tidy(): void {
    this.drawMissing();
    const { db } = this.shelf;
    // What could not be tidied now is tidied next time.
    void Promise.all([collect(db), forgetOthers(db, this.shelf.all.peek())]).catch(() => undefined);
  }

  private async askToPersist(): Promise<void> {
    if (this.askedToPersist) return;
    this.askedToPersist = true;
    this.shelf.notePersisted(await this.platform.persist().catch(() => false));
  }
}

/** A door that opens once. */
function latch(): { passed: Promise<void>; release: () => void } {
  let release: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (release = resolve));
  return { passed, release };
}
