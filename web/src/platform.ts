/** What a tab needs of its browser, gathered in one place: tests bring their own, two tabs of one browser included. */
import type { Live } from './sync/live';
import type { Pen } from './store/drawings';

/** Web Locks, or a stand-in that only knows this tab. */
export interface Locks {
  request<T>(name: string, options: LockOptions, work: (lock: unknown) => Promise<T>): Promise<T>;
}

/** Word to the other tabs; nobody hears their own. `wiped` is the database that a switch has emptied, if it did. */
export type Word =
  | { readonly type: 'changed'; readonly database: string }
  | { readonly type: 'switched'; readonly wiped?: string };

export interface Platform {
  /** What the names of this browser's databases begin with. */
  readonly databases: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly locks: Locks;
  readonly tell: (word: Word) => void;
  readonly onWord: (listener: (word: Word) => void) => void;
  /** Opens a stream of server-sent events. */
  readonly live: Live;
  /** A picture as it will be kept: WebP or JPEG, at most 1600 pixels a side, under 2 MB. */
  readonly shrink: (picture: Blob) => Promise<Blob>;
  readonly pen: Pen;
  /** Asks the browser not to evict what is stored. */
  readonly persist: () => Promise<boolean>;
  readonly isOnline: () => boolean;
  /** Calls back whenever it is worth asking the server: shown again, focused, online. */
  readonly onWake: (listener: () => void) => void;
  readonly onOffline: (listener: () => void) => void;
  /** Loads the page anew: at once, or when nothing typed is lost by it. */
  readonly reload: (when: 'now' | 'saved') => void;
  readonly deviceName: () => string;
  readonly checkForUpdate: () => void;
}
