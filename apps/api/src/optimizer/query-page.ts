import { type CursorCodec } from '@peregrine/database';
import { type QueryFigures } from '@peregrine/query-optimizer';
import { type ListPage, pageOfRanked } from './list-page.js';
import { type QueriesQuery, type QuerySort } from './optimizer.schemas.js';

/** One page of figures. @throws {InvalidCursorError} */
export function pageOfQueries(
  figures: readonly QueryFigures[],
  { sort, ...page }: QueriesQuery,
  codec: CursorCodec,
): ListPage<QueryFigures> {
  const list = { scope: `queries:${sort}`, items: figures };
  return pageOfRanked({ ...list, value: (it) => it[sort], key: (it) => it.fingerprint }, page, codec);
}

export function highestFirst(figures: readonly QueryFigures[], sort: QuerySort): QueryFigures[] {
  return figures.toSorted((a, b) => b[sort] - a[sort] || (a.fingerprint < b.fingerprint ? -1 : 1));
}
