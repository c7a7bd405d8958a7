/**
 * Who is signed in on this device. Two Web Locks over all tabs: one for changing whose data is open, which never waits
 * for the network, or no tab could start meanwhile; around it one for sessions, so that no sign-in meets a sign-out.
 * The other tabs reload when the owner changes.
 */
import { ApiProblem, Offline, type Api } from './api';
import type { Account, Card, Device } from './model';
import { open, type Database } from './store/database';
import { giveUpKept, hasKeptLong, keepAsGuest } from './store/farewell';
import {
  adoptCards, become, current, forgetGuestCards, guestOf, leave, ownerOf, purgeBin, removeLeft, sessionEnded,
  sessionToEnd, type Owner,
} from './store/owners';
import { collect } from './store/pictures';
import { CardViews, snapshot } from './store/state';
import type { Sessions, Tab } from './tab';

const OWNER_LOCK = 'karman-account';
const SESSION_LOCK = 'karman-session';

/** A sign-in's answer; who came through a provider may have no address. */
export interface SignedIn {
  readonly account: { readonly id: string; readonly email: string | null };
  readonly device: { readonly id: string; readonly name: string };
  readonly space: string;
}

export class Session implements Sessions {
  private guestDatabase: Promise<Database> | undefined;
  private readonly databases: string;
  private readonly guestOwner: Owner;

  constructor(private readonly tab: Tab) {
    this.databases = tab.platform.databases;
    this.guestOwner = guestOf(this.databases);
    tab.sessions = this;
    tab.platform.onWake(() => void this.endLeftSession().catch(() => undefined));
  }

  /** Opens whoever was here last; finishes a sign-out that was interrupted. */
  async start(): Promise<void> {
    try {
      // Shared: a tab that starts must not open, and so make anew, a database that another one is just removing.
      await this.owning('shared', async () => {
        const guest = await this.guest();
        // A full device must not keep anybody from their cards.
        const purged = purgeBin(guest).catch(() => undefined);
        const [account] = await Promise.all([current(guest), removeLeft(guest), purged]);
        await this.tab.open(account ? ownerOf(account, this.databases) : this.guestOwner);
      });
    } catch (error) {
      this.tab.fail(error);
    }
    await this.endLeftSession().catch(() => undefined);
  }

  /** Answers nothing where the account is opened by a link in a mail, in the language. */
  async signUp(email: string, password: string, language = ''): Promise<Account | undefined> {
    const json = { email, password, device: this.tab.platform.deviceName() };
    const call = { method: 'POST', json, language } as const;
    return this.signing(async () => {
      const answer = await this.tab.api.json<SignedIn | { readonly mailed: true }>('/api/accounts', call);
      return 'mailed' in answer ? undefined : this.admit(answer);
    });
  }

  signIn(email: string, password: string): Promise<Account> {
    const ask = (api: Api, device: string): Promise<SignedIn> =>
      api.json('/api/session', { method: 'POST', json: { email, password, device } });
    return this.arrive(ask);
  }

  /** Comes in by whatever `ask` is answered, for a device of that name. */
  arrive(ask: (api: Api, device: string) => Promise<SignedIn>): Promise<Account> {
    return this.signing(async () => this.admit(await ask(this.tab.api, this.tab.platform.deviceName())));
  }

  async guestCards(): Promise<readonly Card[]> {
    const cards = new CardViews().of(await snapshot(await this.guest()));
    return cards.filter((card) => !card.binned_at);
  }

  async adopt(ids: readonly string[]): Promise<void> {
    await this.owning('exclusive', async () => {
      const { shelf } = this.tab;
      if (!shelf.owner.account) throw new Error('nobody is signed in');
      const guest = await this.guest();
      const chosen = (await this.guestCards()).filter(({ id }) => ids.includes(id));
      const named = new Set(chosen.flatMap(({ front, back }) => [front, back]));
      const pictures = (await guest.getAll('pictures')).filter(({ id }) => named.has(id));
      await shelf.store(() => adoptCards(shelf.db, chosen, pictures, shelf.owner.space));
    });
    this.tab.changed();
  }

  async signOut({ discardUnsent = false } = {}): Promise<void> {
    await this.signing(async () => {
      const account = this.tab.account.peek();
      if (!account) return;
      await this.tab.engine?.exchange();
      await this.judgeKept(account).catch(() => undefined);
      await this.wipe(account, { unlessUnsent: !discardUnsent });
    });
    await this.endLeftSession().catch(() => undefined);
  }

  /**
   * Deletes the account for good, and its data here. With `keep` its cards stay, as a guest's. Without a password the
   * server asks for a sign-in of a moment ago (`proof-needed`).
   */
  async deleteAccount(password: string | null, { keep }: { readonly keep: boolean }): Promise<void> {
    await this.signing(async () => {
      const account = this.tab.account.peek();
      if (!account) return;
      // First, for from the server's answer on this device may be told to wipe.
      await (keep ? this.keepHere(account) : this.giveUpKept(account));
      try {
        await this.erase(account, password);
      } catch (error) {
        // Without a clear answer nobody knows, an earlier attempt may have done it: better two copies than none, until
        // the account is heard of again.
        if (isRefusal(error)) await this.giveUpKept(account);
        throw error;
      }
      await this.wipe(account, { unlessUnsent: false });
      this.tab.notice.value = null;
    });
    await this.endLeftSession().catch(() => undefined);
  }

  async devices(): Promise<readonly Device[]> {
    return (await this.tab.api.json<{ devices: Device[] }>('/api/devices')).devices;
  }

  async revoke(id: string): Promise<void> {
    await this.tab.api.tell(`/api/devices/${id}`, { method: 'DELETE' });
    // It may have been this very device: the next call tells.
    this.tab.engine?.soon();
  }

  /** The receipts of the guest's cards have come: the copies may go. */
  async onAdopted(ids: readonly string[]): Promise<void> {
    const guest = await this.guest();
    await forgetGuestCards(guest, ids);
    await collect(guest);
  }

  /** The account has been heard of: its cards kept with the guest, in case it was deleted, may go. */
  onExchanged(account: Account): void {
    const judge = async (): Promise<void> => {
      if (await hasKeptLong(await this.guest(), account.id)) await this.signing(() => this.judgeKept(account));
    };
    // In its own time: who holds the lock may wait for an exchange.
    void judge().catch(() => undefined);
  }

  /** This device was signed out from elsewhere: its data goes at once, unsent edits included. */
  onRevoked(account: Account): void {
    const wipe = async (): Promise<void> => {
      await this.wipe(account, { unlessUnsent: false });
      this.tab.notice.value = 'device-revoked';
    };
    void wipe().catch((error: unknown) => this.tab.fail(error));
  }

  /** A lost answer is asked for again: whose account is gone is told to wipe. */
  private async erase({ id }: Account, password: string | null): Promise<void> {
    try {
      await this.tab.api.tell('/api/account', { method: 'DELETE', query: { account: id }, json: { password } });
    } catch (error) {
      if (!(error instanceof Offline)) throw error;
      const now = await this.tab.api.json('/api/session').catch((later: unknown) => later);
      if (!(now instanceof ApiProblem && now.code === 'device-revoked')) throw error;
    }
  }

  /** Copies the account's cards to the guest's, pictures too. */
  private async keepHere({ id: account }: Account): Promise<void> {
    const { shelf } = this.tab;
    const cards = shelf.cards.peek();
    const named = cards.flatMap(({ front, back }) => [front, back]).filter((id) => id !== undefined);
    // Those that have not come yet are fetched now or never.
    for (const id of named) await this.tab.picture(id).catch(() => undefined);
    const pictures = (await shelf.db.getAll('pictures')).filter(({ id }) => named.includes(id));
    await keepAsGuest(await this.guest(), { space: this.guestOwner.space, account }, cards, pictures);
  }

  /** Asks anew, under the lock for sessions: an exchange may have ended before the deletion began. */
  private async judgeKept(account: Account): Promise<void> {
    if (!(await hasKeptLong(await this.guest(), account.id))) return;
    const now = await this.tab.api.json<SignedIn>('/api/session');
    if (now.account.id === account.id) await this.giveUpKept(account);
  }

  private async giveUpKept({ id }: Account): Promise<void> {
    await giveUpKept(await this.guest(), this.guestOwner.space, id);
  }

  private async admit({ account: { id, email }, device, space }: SignedIn): Promise<Account> {
    const account: Account = { id, email: email ?? '', device, space };
    const before = this.tab.account.peek();
    const enter = (): Promise<void> => this.owning('exclusive', () => this.welcome(account));
    if (!before || before.id === id) {
      await enter();
    } else {
      // It would go on asking for somebody who has no session here any more.
      await this.tab.engine?.stop();
      await this.syncing(before, enter);
    }
    return account;
  }

  private async welcome(account: Account): Promise<void> {
    const guest = await this.guest();
    const owner = ownerOf(account, this.databases);
    const before = this.tab.account.peek();
    // Nobody could open the data of who was here before. With unsent edits it stays: they may sign in again.
    if (before && before.id !== account.id) await leave(guest, this.tab.shelf.db, true).catch(() => undefined);
    await become(guest, account, owner.database);
    this.tab.notice.value = null;
    this.tab.platform.tell({ type: 'switched' });
    await this.tab.open(owner);
    await removeLeft(guest);
  }

  /** Under the sync lock, so that no tab is just writing what goes; taken first, for it may wait for the network. */
  private wipe(account: Account, { unlessUnsent }: { unlessUnsent: boolean }): Promise<void> {
    return this.syncing(account, () => this.owning('exclusive', () => this.empty(account, unlessUnsent)));
  }

  private async empty(account: Account, unlessUnsent: boolean): Promise<void> {
    if (this.tab.account.peek()?.id !== account.id) return;
    const guest = await this.guest();
    await leave(guest, this.tab.shelf.db, unlessUnsent);
    this.tab.platform.tell({ type: 'switched', wiped: this.tab.shelf.owner.database });
    await this.tab.open(this.guestOwner);
    await removeLeft(guest);
  }

  /** Ends the session of somebody who has left, now or when the network is back. */
  private async endLeftSession(): Promise<void> {
    const guest = await this.guest();
    if (!(await sessionToEnd(guest))) return;
    await this.signing(async () => {
      // Looked at again under the lock: a sign-in meanwhile has a session of its own, which must stay.
      if (!(await sessionToEnd(guest))) return;
      await this.tab.api.tell('/api/session', { method: 'DELETE' }).catch(ignoreEnded);
      await sessionEnded(guest);
    });
  }

  private guest(): Promise<Database> {
    this.guestDatabase ??= open(this.guestOwner.database, () => (this.guestDatabase = undefined));
    return this.guestDatabase;
  }

  private syncing<T>({ id }: Account, work: () => Promise<T>): Promise<T> {
    return this.tab.platform.locks.request(`karman-sync-${id}`, {}, work);
  }

  private owning<T>(mode: LockMode, work: () => Promise<T>): Promise<T> {
    return this.tab.platform.locks.request(OWNER_LOCK, { mode }, work);
  }

  private signing<T>(work: () => Promise<T>): Promise<T> {
    return this.tab.platform.locks.request(SESSION_LOCK, {}, work);
  }
}

/** It comes from behind the check of the session: the account lives. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 403;
}

/** Without a session there is nothing left to end. */
function ignoreEnded(error: unknown): void {
  if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
}
