/** One tab's part in syncing one account: when to exchange, when to try again, and what to say about it. */
import { ApiProblem, Offline, type Api } from '../api';
import { StorageFull, type Card, type Problem } from '../model';
import type { Platform } from '../platform';
import type { Database } from '../store/database';
import { renumber } from '../store/queue';
import { backoff } from './backoff';
import { lead, type Poke } from './live';
import { download, missing } from './pictures';
import { pull, type PullOutcome, type Server } from './pull';
import { push } from './push';

/** How the last exchange ended. */
export interface Report {
  readonly offline: boolean;
  readonly signedOut: boolean;
  readonly problem?: Problem;
}

export const WELL: Report = { offline: false, signedOut: false };

export interface EngineWishes {
  readonly api: Api;
  readonly db: Database;
  readonly account: string;
  readonly platform: Platform;
  readonly cards: () => readonly Card[];
  readonly onAdopted: (ids: readonly string[]) => Promise<void>;
  /** The exchange has changed the store: read it again. */
  readonly onChange: () => Promise<void>;
  readonly onPicture: () => void;
  readonly onReport: (report: Report) => void;
  readonly onStorageFull: () => void;
  /** This device was signed out from elsewhere. */
  readonly onRevoked: () => void;
}

export class Engine {
  private readonly stopping = new AbortController();
  private running: Promise<Report> | undefined;
  private again = false;
  private changed = false;
  private pokes: Poke[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private readonly versions = new Map<string, number>();
  private readonly absent = new Set<string>();

  private readonly server: Server;

  constructor(private readonly wishes: EngineWishes) {
    const { api, db, account } = wishes;
    // A stopped engine must not keep whoever stops it waiting for a slow network.
    this.server = { api: api.until(this.signal), db, account };
  }

  start(): void {
    const { platform, account } = this.wishes;
    const onPoke = (poke?: Poke): void => this.poked(poke);
    lead({ locks: platform.locks, live: platform.live, account, onPoke, onBroken: () => this.soon() }, this.signal);
    this.soon();
  }

  /** Ends everything; resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  /** Exchanges after `ms`, unless it is to happen earlier anyway. */
  soon(ms = 0): void {
    if (this.signal.aborted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.exchange(), ms);
  }

  /** Pushes and pulls once, after what runs already; never rejects. */
  async exchange(): Promise<Report> {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.untilQuiet().finally(() => (this.running = undefined));
    return this.running;
  }

  private get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Our own pushes poke too, often before their pull has answered: such a poke is judged when the exchange is over. */
  private poked(poke?: Poke): void {
    if (poke && this.running) this.pokes.push(poke);
    else if (!poke || this.isNews(poke)) this.soon();
  }

  private isNews(poke: Poke): boolean {
    return poke.version > (this.versions.get(poke.space) ?? 0);
  }

  private async untilQuiet(): Promise<Report> {
    let report: Report;
    do {
      this.again = false;
      report = await this.once();
      this.again ||= this.pokes.splice(0).some((poke) => this.isNews(poke));
    } while (this.again && !this.signal.aborted && report === WELL);
    return report;
  }

  private async once(): Promise<Report> {
    clearTimeout(this.timer);
    const { platform, account } = this.wishes;
    try {
      await platform.locks.request(`karman-sync-${account}`, { signal: this.signal }, () => this.pushAndPull());
      this.failures = 0;
      this.wishes.onReport(WELL);
      void this.fetchPictures();
      return WELL;
    } catch (error) {
      return this.failed(error);
    }
  }

  private async pushAndPull(): Promise<void> {
    this.changed = false;
    try {
      const stopped = await this.pushed();
      const outcome = await this.pulled();
      if (outcome.lost) await renumber(this.server.db);
      if (outcome.lost || outcome.queued) await this.sendAgain();
      if (stopped) throw stopped;
    } finally {
      if (this.changed && !this.signal.aborted) await this.wishes.onChange();
    }
  }

  /** A problem with the queue must not keep this device from hearing of others' edits: it is told after the pull. */
  private async pushed(): Promise<ApiProblem | undefined> {
    const { onAdopted } = this.wishes;
    try {
      const onSettled = (): void => void (this.changed = true);
      await push({ ...this.server, onAdopted, onSettled, pull: () => this.pulled() });
      return undefined;
    } catch (error) {
      if (error instanceof ApiProblem && !isAboutTheSession(error)) return error;
      throw error;
    }
  }

  private async pulled(): Promise<PullOutcome> {
    const outcome = await pull(this.server);
    this.changed ||= outcome.changed;
    // A restored server counts versions anew: those remembered would make this device deaf to its pokes.
    if (outcome.lost || outcome.restored) this.versions.clear();
    for (const [space, version] of outcome.versions) {
      this.versions.set(space, Math.max(version, this.versions.get(space) ?? 0));
    }
    return outcome;
  }

  private async sendAgain(): Promise<void> {
    const stopped = await this.pushed();
    if (stopped) throw stopped;
    await this.pulled();
  }

  private failed(error: unknown): Report {
    if (this.signal.aborted) return WELL;
    const report = reportOf(error);
    if (error instanceof StorageFull) this.wishes.onStorageFull();
    // Nothing can come of asking again: the next sign-in starts an engine of its own.
    if (report.signedOut) this.stopping.abort();
    if (error instanceof ApiProblem && error.code === 'device-revoked') this.wishes.onRevoked();
    if (report.problem?.code === 'upgrade-needed') this.wishes.platform.checkForUpdate();
    this.wishes.onReport(report);
    this.retry(error);
    return report;
  }

  private retry(error: unknown): void {
    const asked = error instanceof ApiProblem ? error.retryAfterSeconds : undefined;
    this.soon(Math.max(backoff(this.failures++), (asked ?? 0) * 1000));
  }

  /** Brings pulled cards' pictures onto the device, one tab at a time. */
  private async fetchPictures(): Promise<void> {
    const { platform, account } = this.wishes;
    const name = `karman-pictures-${account}`;
    await platform.locks
      .request(name, { ifAvailable: true }, async (lock) => (lock ? this.fetchMissing() : undefined))
      .catch((error: unknown) => error instanceof StorageFull && this.wishes.onStorageFull());
  }

  private async fetchMissing(): Promise<void> {
    for (const [space, id] of await missing(this.server.db, this.wishes.cards())) {
      if (this.signal.aborted) return;
      if (this.absent.has(id)) continue;
      if (await download(this.server, space, id)) this.wishes.onPicture();
      else this.absent.add(id);
    }
  }
}

function isAboutTheSession(error: ApiProblem): boolean {
  return error.status === 401 || error.code === 'other-account';
}

function reportOf(error: unknown): Report {
  if (error instanceof Offline) return { ...WELL, offline: true };
  if (error instanceof StorageFull) return { ...WELL, problem: { code: 'storage-full' } };
  if (!(error instanceof ApiProblem)) return { ...WELL, problem: { code: 'failed', detail: String(error) } };
  return isAboutTheSession(error) ? { ...WELL, signedOut: true } : { ...WELL, problem: error.problem };
}
