/** What each mutation does to a card, as the server will do it: one table, replayed here over the pulled state. */
import type { CardBody, Mutation } from './database';
import type { CardFields, CardMutation } from '../model';

type Body = CardBody | undefined;
type Mutator = (body: Body, mutation: Mutation) => Body;

const MUTATORS: Readonly<Record<CardMutation, Mutator>> = {
  'card.keep': (body, { args, made_at }) => body ?? { ...(args['card'] as CardFields), created_at: made_at },
  'card.set': (body, { args }) => body && withFields(body, args['fields'] as Record<string, unknown>),
  'card.use': (body, { args }) =>
    body && {
      ...body,
      uses: (body.uses ?? 0) + 1,
      last_used_at: later(body.last_used_at, args['at'] as string),
    },
  'card.bin': (body, { made_at }) => body && { ...body, binned_at: body.binned_at ?? made_at },
  'card.restore': (body) => body && withFields(body, { binned_at: null }),
  // It stays what it is; where it stands is the state's affair.
  'card.move': (body) => body,
};

/** The card after the mutation; undefined where there is none. */
export function mutate(body: Body, mutation: Mutation): Body {
  // A wish changes no card.
  return mutation.name === 'offers.wish' ? body : MUTATORS[mutation.name](body, mutation);
}

/** The card with fields set one by one; `null` clears one. */
export function withFields<T extends object>(body: T, fields: Readonly<Record<string, unknown>>): T {
  const cleared = Object.entries({ ...body, ...fields }).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(cleared) as T;
}

function later(one: string | undefined, other: string): string {
  return one !== undefined && Date.parse(one) > Date.parse(other) ? one : other;
}
