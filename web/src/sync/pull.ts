/** Pull: asks for everything after the cookie and brings it into the rows. */
import type { Api } from '../api';
import { meta, read, type Database } from '../store/database';
import { applyPull, type Applied, type Pulled } from '../store/patch';

export interface Server {
  readonly api: Api;
  readonly db: Database;
  readonly account: string;
}

export interface PullOutcome extends Applied {
  /** Highest version seen in this answer, by space. */
  readonly versions: ReadonlyMap<string, number>;
  readonly changed: boolean;
}

export async function pull({ api, db, account }: Server): Promise<PullOutcome> {
  const [cookie, client] = await read(db, ['meta'], (tx) => Promise.all([meta(tx, 'cookie'), meta(tx, 'client')]));
  const pulled = await api.json<Pulled>('/api/sync/pull', { query: { account, client: client?.id, cookie } });
  const applied = await applyPull(db, pulled);
  return { ...applied, versions: versionsIn(pulled), changed: pulled.patch.length > 0 };
}

function versionsIn(pulled: Pulled): Map<string, number> {
  const versions = new Map<string, number>();
  for (const operation of pulled.patch) {
    if (operation.op === 'clear') continue;
    versions.set(operation.space, Math.max(versions.get(operation.space) ?? 0, operation.version));
  }
  return versions;
}
