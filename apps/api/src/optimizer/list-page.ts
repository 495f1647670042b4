import { type CursorCodec, InvalidCursorError } from '@peregrine/database';

/** A list that is in memory and changes all the time, the highest first. */
export interface RankedList<T> {
  /** Names list, filter and order: a cursor of another one is refused. */
  readonly scope: string;
  readonly items: readonly T[];
  readonly value: (item: T) => number;
  /** Tells two of the same value apart. */
  readonly key: (item: T) => string;
}

export interface ListPage<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

/**
 * One page: what comes after the last one of the page before, in the order as it is now.
 *
 * @throws {InvalidCursorError}
 */
export function pageOfRanked<T>(
  { scope, items: all, value, key }: RankedList<T>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  codec: CursorCodec,
): ListPage<T> {
  const after = cursor ? positionOf(codec.decode(scope, cursor).values) : undefined;
  const sorted = all.toSorted((a, b) => value(b) - value(a) || (key(a) < key(b) ? -1 : 1));
  const rest = sorted.filter(
    (it) => !after || value(it) < after.value || (value(it) === after.value && key(it) > after.key),
  );
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const hasMore = last !== undefined && rest.length > limit;
  const values = last ? [value(last), key(last)] : [];
  return {
    items,
    nextCursor: hasMore ? codec.encode(scope, { direction: 'forward', inclusive: false, values }) : null,
  };
}

function positionOf([value, key]: readonly (string | number)[]) {
  if (typeof value !== 'number' || typeof key !== 'string') throw new InvalidCursorError();
  return { value, key };
}
