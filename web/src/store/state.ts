/** The optimistic state: the pulled rows with the queue replayed over them, read in one snapshot. */
import type { Card, Household, Live, OfferWish, OfferWishes } from '../model';
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

/** Under which key stands what the shop says of a card. */
const LIVE = 'live/';

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
      const mark = markOf(state, draft);
      const known = this.known.get(place);
      const { space, id, body, live } = draft;
      if (known?.mark === mark) next.set(place, known);
      else if (body) next.set(place, { mark, card: cardOf(space, id, body, liveIn(live)) });
    }
    this.known = next;
    return Array.from(next.values(), ({ card }) => card);
  }
}

/** What tells one state of a card from another. */
function markOf({ era, client }: State, { version, live, replayed: queued }: Draft): string {
  return `${era} ${version} ${live?.version} ${queued.length ? client : ''} ${queued.join()}`;
}

interface Draft {
  readonly space: string;
  readonly id: string;
  readonly version: number;
  readonly replayed: number[];
  readonly live: Row | undefined;
  body: CardBody | undefined;
}

function replayed(state: State): Map<string, Draft> {
  const drafts = new Map<string, Draft>();
  const lives = new Map(state.rows.map((row) => [`${row.space}/${row.key}`, row]));
  for (const { space, key, version, value } of state.rows) {
    const id = idOf(key);
    if (id === undefined) continue;
    const live = lives.get(`${space}/${LIVE}${id}`);
    drafts.set(`${space}/${id}`, { space, id, version, live, body: value, replayed: [] });
  }
  for (const mutation of pending(state)) if (mutation.name !== 'offers.wish') replay(drafts, mutation);
  return drafts;
}

/** What the pulled rows do not contain yet. */
function pending({ queue, contained }: State): readonly Queued[] {
  return queue.filter(({ id }) => id > contained);
}

function replay(drafts: Map<string, Draft>, mutation: Queued): void {
  const { space, id } = mutation.args;
  const place = `${space}/${id}`;
  const draft = drafts.get(place) ?? { space, id, version: 0, live: undefined, body: undefined, replayed: [] };
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

/** Where a person's wishes about offers stand, in their own space. */
export const WISHES = 'wishes/offers';

export function wishesIn(row: Row | undefined): OfferWishes {
  return { muted: [], notices: false, ...(row?.value as Partial<OfferWishes> | undefined) };
}

/** The wishes of whoever owns the space, with those not sent yet. */
export function wishesOf(state: State, space: string): OfferWishes {
  const row = state.rows.find((one) => one.key === WISHES && one.space === space);
  const queued = pending(state).filter(({ name }) => name === 'offers.wish');
  return queued.reduce((wishes, { args }) => wished(wishes, args as unknown as OfferWish), wishesIn(row));
}

function wished({ muted, notices }: OfferWishes, wish: OfferWish): OfferWishes {
  if ('notices' in wish) return { muted, notices: wish.notices };
  const others = muted.filter((slug) => slug !== wish.slug);
  return { muted: wish.muted ? [...others, wish.slug] : others, notices };
}

function liveIn(row: Row | undefined): Live | undefined {
  return row?.value as unknown as Live | undefined;
}

export function cardOf(space: string, id: string, body: CardBody, live?: Live): Card {
  return {
    ...body,
    ...(live && { live }),
    id,
    space,
    codes: body.codes ?? [],
    favourite: body.favourite ?? false,
    archived: body.archived ?? false,
    uses: body.uses ?? 0,
  };
}
