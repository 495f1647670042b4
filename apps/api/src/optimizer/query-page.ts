import { type CursorCodec, InvalidCursorError } from '@peregrine/database';
import { type QueryFigures } from '@peregrine/query-optimizer';
import { type QueriesQuery, type QuerySort } from './optimizer.schemas.js';

/**
 * One page of figures that are in memory and change all the time: what comes after the last one of the page before, in the
 * order as it is now.
 *
 * @throws {InvalidCursorError}
 */
export function pageOfQueries(
  figures: readonly QueryFigures[],
  { sort, limit, cursor }: QueriesQuery,
  codec: CursorCodec,
): { items: QueryFigures[]; nextCursor: string | null } {
  const scope = `queries:${sort}`;
  const after = cursor ? positionOf(codec.decode(scope, cursor).values) : undefined;
  const rest = highestFirst(figures, sort).filter(
    (it) =>
      !after || it[sort] < after.value || (it[sort] === after.value && it.fingerprint > after.fingerprint),
  );
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const hasMore = last !== undefined && rest.length > limit;
  const values = last ? [last[sort], last.fingerprint] : [];
  return {
    items,
    nextCursor: hasMore ? codec.encode(scope, { direction: 'forward', inclusive: false, values }) : null,
  };
}

export function highestFirst(figures: readonly QueryFigures[], sort: QuerySort): QueryFigures[] {
  return figures.toSorted((a, b) => b[sort] - a[sort] || (a.fingerprint < b.fingerprint ? -1 : 1));
}

function positionOf([value, fingerprint]: readonly (string | number)[]) {
  if (typeof value !== 'number' || typeof fingerprint !== 'string') throw new InvalidCursorError();
  return { value, fingerprint };
}
