/** The optimistic state: the pulled rows with the queue replayed over them, read in one snapshot. */
import type { Card, Household } from '../model';
import { meta, read, type CardBody, type Database, type Queued, type Row, type StoredRefusal } from './database';
import { mutate } from './mutators';

export interface State {
  readonly rows: readonly Row[];
  readonly queue: readonly Queued[];
  readonly refusals: readonly StoredRefusal[];
  /** The highest mutation of this client the pulled rows already contain. */
  readonly contained: number;
  readonly client: string;
  /** False until the first pull: an empty wallet then says nothing. */
  readonly pulled: boolean;
  /** How often all rows were replaced: a version number of before may mean something else since. */
  readonly era?: number;
}

const PREFIX = 'card/';

export function cardKey(id: string): string {
  return PREFIX + id;
}

/** The id of the card under a key; undefined where the key is of something else. */
export function idOf(key: string): string | undefined {
  return key.startsWith(PREFIX) ? key.slice(PREFIX.length) : undefined;
}

export function snapshot(db: Database): Promise<State> {
  return read(db, ['cards', 'queue', 'refusals', 'meta'], async (tx) => {
    const [rows, queue, refusals, contained, client, cookie, era] = await Promise.all([
      tx.objectStore('cards').getAll(),
      tx.objectStore('queue').getAll(),
      tx.objectStore('refusals').getAll(),
      meta(tx, 'contained'),
      meta(tx, 'client'),
      meta(tx, 'cookie'),
      meta(tx, 'era'),
    ]);
    const pulled = cookie !== undefined;
    return { rows, queue, refusals, contained: contained ?? 0, client: client?.id ?? '', pulled, era: era ?? 0 };
  });
}

/** Cards out of states. A card that did not change stays the very same object, so that its row is not drawn anew. */
export class CardViews {
  private known = new Map<string, { mark: string; card: Card }>();

  of(state: State): Card[] {
    const next = new Map<string, { mark: string; card: Card }>();
    for (const [place, draft] of replayed(state)) {
      const mark = `${state.era} ${draft.version} ${draft.replayed.length ? state.client : ''} ${draft.replayed.join()}`;
      const known = this.known.get(place);
      if (known?.mark === mark) next.set(place, known);
      else if (draft.body) next.set(place, { mark, card: cardOf(draft.space, draft.id, draft.body) });
    }
    this.known = next;
    return Array.from(next.values(), ({ card }) => card);
  }
}

interface Draft {
  readonly space: string;
  readonly id: string;
  readonly version: number;
  readonly replayed: number[];
  body: CardBody | undefined;
}

function replayed(state: State): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  for (const { space, key, version, value } of state.rows) {
    const id = idOf(key);
    if (id === undefined) continue;
    drafts.set(`${space}/${id}`, { space, id, version, body: value, replayed: [] });
  }
  for (const mutation of state.queue) if (mutation.id > state.contained) replay(drafts, mutation);
  return drafts;
}

function replay(drafts: Map<string, Draft>, mutation: Queued): void {
  const { space, id } = mutation.args;
  const place = `${space}/${id}`;
  const draft = drafts.get(place) ?? { space, id, version: 0, body: undefined, replayed: [] };
  draft.body = mutate(draft.body, mutation);
  draft.replayed.push(mutation.id);
  drafts.set(place, draft);
  if (mutation.name === 'card.move') moveOn(drafts, draft, mutation.args['to'] as string);
}

function moveOn(drafts: Map<string, Draft>, draft: Draft, to: string): void {
  if (!draft.body || to === draft.space) return;
  drafts.set(`${to}/${draft.id}`, { ...draft, space: to, replayed: [...draft.replayed] });
  draft.body = undefined;
}

const ABOUT = 'about';

/** The households of a state, by name. */
export function householdsOf({ rows }: State): Household[] {
  const abouts = rows.filter(({ key }) => key === ABOUT);
  const found = abouts.map(({ space, value }) => ({ ...(value as unknown as Household), id: space }));
  return found.sort((one, other) => one.name.localeCompare(other.name));
}

export function cardOf(space: string, id: string, body: CardBody): Card {
  return {
    ...body,
    id,
    space,
    codes: body.codes ?? [],
    favourite: body.favourite ?? false,
    archived: body.archived ?? false,
    uses: body.uses ?? 0,
  };
}
