import { expect, it } from '@jest/globals';
import { CursorCodec } from '@peregrine/database';
import { type QueryFigures } from '@peregrine/query-optimizer';
import { pageOfQueries } from './query-page.js';

const codec = new CursorCodec('a-secret-of-the-tests-of-pages');

const figures = (fingerprint: string, calls: number): QueryFigures => ({
  fingerprint,
  sql: fingerprint,
  kind: 'select',
  calls,
  errors: 0,
  rows: 0,
  totalMs: 1,
  meanMs: 1,
  p50Ms: 1,
  p95Ms: 1,
  p99Ms: 1,
  maxMs: 1,
});

it('goes through all of them once, the highest first, those that are equal too', () => {
  const all = ['d', 'b', 'a', 'e', 'c'].map((it, index) => figures(it, index < 3 ? 5 : index));
  const seen: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = pageOfQueries(all, { sort: 'calls', limit: 2, ...(cursor && { cursor }) }, codec);
    seen.push(...page.items.map((it) => it.fingerprint));
    cursor = page.nextCursor;
  }
  expect(seen).toEqual(['a', 'b', 'd', 'c', 'e']);
});

it('refuses the cursor of another order', () => {
  const all = [figures('a', 1), figures('b', 2)];
  const { nextCursor } = pageOfQueries(all, { sort: 'calls', limit: 1 }, codec);
  expect(() => pageOfQueries(all, { sort: 'rows', limit: 1, cursor: nextCursor ?? '' }, codec)).toThrow(
    expect.objectContaining({ code: 'DATABASE_INVALID_CURSOR' }),
  );
});
