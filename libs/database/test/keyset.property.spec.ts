import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { DataSource } from 'typeorm';

import {
  connectDataSource,
  createDataSource,
  CursorCodec,
  InvalidCursorError,
  keysetPage,
  type KeysetKey,
  type Page,
} from '../src/index.js';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js';

jest.setTimeout(60_000);

interface Row {
  id: number;
  name: string;
  rank: number;
  at: string;
}

type Direction = 'ASC' | 'DESC';
const codec = new CursorCodec('a secret of the tests');
const COLUMNS = 'id, name, rank, at::text AS at';

/** Few different values, so that the later keys have to decide. */
const rowArbitrary = fc.record({
  name: fc.constantFrom('', 'a', 'B', 'ä', 'z"\'', '日本', ' a'),
  rank: fc.constantFrom(-1.5, 0, 0.1, 0.0607927, 3e30),
  at: fc.constantFrom(
    '2026-01-01 00:00:00.000001+00',
    '2026-01-01 00:00:00.000002+00',
    '1999-12-31 23:59:59+00',
  ),
});
const direction = fc.constantFrom<Direction>('ASC', 'DESC');

describe('keysetPage', () => {
  let database: TestDatabase;
  let dataSource: DataSource;

  beforeAll(async () => {
    database = await createTestDatabase(process.env['DATABASE_URL']);
    dataSource = createDataSource({ url: database.url, poolMax: 2 });
    await connectDataSource(dataSource, { startTimeoutMs: 10_000 });
    await dataSource.query(
      'CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, rank real NOT NULL, at timestamptz NOT NULL)',
    );
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  const insert = (rows: readonly Omit<Row, 'id'>[], firstId: number) =>
    dataSource.query(
      `INSERT INTO item SELECT $1::int + n - 1, name, rank, at
       FROM unnest($2::text[], $3::real[], $4::timestamptz[]) WITH ORDINALITY AS u(name, rank, at, n)`,
      [firstId, rows.map((it) => it.name), rows.map((it) => it.rank), rows.map((it) => it.at)],
    );
  const refill = async (rows: readonly Omit<Row, 'id'>[]) => {
    await dataSource.query('TRUNCATE item');
    await insert(rows, 1000);
  };

  const keysFor = (directions: readonly Direction[]): KeysetKey<Row>[] => {
    const [name = 'ASC', rank = 'ASC', at = 'ASC', id = 'ASC'] = directions;
    return [
      { expression: 'name COLLATE "C"', cast: 'text', direction: name, value: (it) => it.name },
      { expression: 'rank', cast: 'real', direction: rank, value: (it) => it.rank },
      { expression: 'at', cast: 'timestamptz', direction: at, value: (it) => it.at },
      { expression: 'id', cast: 'int', direction: id, value: (it) => it.id },
    ];
  };

  const page = (keys: KeysetKey<Row>[], limit: number, cursor?: string | null, scope = 'items') =>
    keysetPage<Row>({
      codec,
      scope,
      limit,
      cursor,
      keys,
      firstParameter: 2,
      fetch: (query) =>
        dataSource.query(
          `SELECT ${COLUMNS} FROM item WHERE id > $1 AND ${query.where} ORDER BY ${query.orderBy} LIMIT ${query.limit}`,
          [0, ...query.parameters],
        ),
    });

  const sorted = (keys: KeysetKey<Row>[]): Promise<Row[]> => {
    const orderBy = keys.map((it) => `${it.expression} ${it.direction}`).join(', ');
    return dataSource.query(`SELECT ${COLUMNS} FROM item ORDER BY ${orderBy}`);
  };

  const walk = async (keys: KeysetKey<Row>[], limit: number): Promise<Page<Row>[]> => {
    const pages = [await page(keys, limit)];
    for (let next = pages[0]?.nextCursor; next; next = pages.at(-1)?.nextCursor) {
      pages.push(await page(keys, limit, next));
    }
    return pages;
  };

  it('gives exactly the sorted list walking forward, and the same pages walking back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowArbitrary, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.tuple(direction, direction, direction, direction),
        async (rows, limit, directions) => {
          await refill(rows);
          const keys = keysFor(directions);
          const pages = await walk(keys, limit);
          expect(pages.flatMap((it) => it.items)).toEqual(await sorted(keys));
          expect(pages[0]?.previousCursor).toBeNull();
          expect(pages.slice(0, -1).every((it) => it.items.length === limit)).toBe(true);
          for (let at = pages.length - 1, cursor = pages[at]?.previousCursor; cursor;) {
            const back = await page(keys, limit, cursor);
            expect(back.items).toEqual(pages[--at]?.items);
            cursor = back.previousCursor;
            if (!cursor) expect(at).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('neither repeats nor skips a row when others are inserted and deleted between the pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rowArbitrary, { minLength: 1, maxLength: 20 }),
        fc.array(fc.array(rowArbitrary, { maxLength: 3 }), { minLength: 10, maxLength: 10 }),
        fc.integer({ min: 1, max: 5 }),
        fc.tuple(direction, direction, direction, direction),
        async (rows, batches, limit, directions) => {
          await refill(rows);
          const keys = keysFor(directions);
          const old = await sorted(keys);
          const seen: Row[] = [];
          let deleted: number | undefined;
          let cursor: string | null | undefined;
          for (let turn = 0; cursor !== null; turn++) {
            const { items, nextCursor } = await page(keys, limit, cursor);
            seen.push(...items);
            cursor = nextCursor;
            // New rows before and after the place, and the very row of the cursor goes away.
            await insert(batches[turn % batches.length] ?? [], 5000 + turn * 10);
            deleted = items.at(-1)?.id;
            await dataSource.query('DELETE FROM item WHERE id = $1', [deleted]);
            if (turn > 200) break;
          }
          expect(new Set(seen.map((it) => it.id)).size).toBe(seen.length);
          expect(seen.filter((it) => it.id < 5000)).toEqual(old);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('finds the way back from a page that turned out empty', async () => {
    await refill([1, 2, 3, 4].map((rank) => ({ name: 'a', rank, at: '2026-01-01' })));
    const keys = keysFor(['ASC', 'ASC', 'ASC', 'ASC']);
    const first = await page(keys, 2);
    await dataSource.query('DELETE FROM item WHERE rank > 2');
    const empty = await page(keys, 2, first.nextCursor);
    expect(empty).toMatchObject({ items: [], nextCursor: null });
    const back = await page(keys, 2, empty.previousCursor);
    expect(back).toMatchObject({ items: first.items, previousCursor: null });

    await dataSource.query('TRUNCATE item');
    const emptyAgain = await page(keys, 2, empty.previousCursor);
    expect(emptyAgain).toMatchObject({ items: [], previousCursor: null });
    await insert([{ name: 'z', rank: 9, at: '2026-01-01' }], 1);
    expect((await page(keys, 2, emptyAgain.nextCursor)).items).toHaveLength(1);
  });

  it('gives an empty page without cursors for an empty list', async () => {
    await refill([]);
    expect(await page(keysFor([]), 3)).toEqual({ items: [], nextCursor: null, previousCursor: null });
  });

  it('refuses the cursor of another list before it asks the database', async () => {
    await refill([1, 2].map((rank) => ({ name: 'a', rank, at: '2026-01-01' })));
    const { nextCursor } = await page(keysFor([]), 1);
    await expect(page(keysFor([]), 1, nextCursor, 'others')).rejects.toThrow(InvalidCursorError);
    await expect(page(keysFor([]).slice(3), 1, nextCursor)).rejects.toThrow(InvalidCursorError);
  });

  it('serves a query builder by named parameters', async () => {
    await refill([1, 2, 3].map((rank) => ({ name: 'a', rank, at: '2026-01-01' })));
    const keys = keysFor(['ASC', 'DESC', 'ASC', 'ASC']);
    const viaBuilder = (cursor?: string | null) =>
      keysetPage<Row>({
        codec,
        scope: 'items',
        limit: 2,
        cursor,
        keys,
        fetch: (query) => {
          const builder = dataSource.createQueryBuilder().select(COLUMNS).from('item', 'item');
          builder.where('id > :least', { least: 0 }).andWhere(query.named.where, query.named.parameters);
          for (const it of query.order) builder.addOrderBy(it.expression, it.direction);
          return builder.limit(query.limit).getRawMany<Row>();
        },
      });
    const first = await viaBuilder();
    const second = await viaBuilder(first.nextCursor);
    expect([...first.items, ...second.items]).toEqual(await sorted(keys));
  });

  it('reads a deep page from the index alone', async () => {
    await dataSource.query('TRUNCATE item');
    await dataSource.query(`INSERT INTO item SELECT n, 'n' || n, n, now() FROM generate_series(1, 20000) n`);
    await dataSource.query('CREATE INDEX IF NOT EXISTS item_name ON item (name COLLATE "C", id)');
    await dataSource.query('ANALYZE item');
    const keys = keysFor([]).filter((_, at) => at === 0 || at === 3);
    let plan = '';
    const fetch = async (query: {
      where: string;
      orderBy: string;
      limit: number;
      parameters: readonly unknown[];
    }) => {
      const sql = `SELECT ${COLUMNS} FROM item WHERE ${query.where} ORDER BY ${query.orderBy} LIMIT ${query.limit}`;
      const rows: { 'QUERY PLAN': string }[] = await dataSource.query(`EXPLAIN ${sql}`, [
        ...query.parameters,
      ]);
      plan = rows.map((it) => it['QUERY PLAN']).join('\n');
      return dataSource.query<Row[]>(sql, [...query.parameters]);
    };
    const options = { codec, scope: 'items', limit: 10, keys, fetch };
    const first = await keysetPage<Row>(options);
    await keysetPage<Row>({ ...options, cursor: first.nextCursor });
    expect(plan).toMatch(/Index (Only )?Scan using item_name[^]*Index Cond: \(ROW\(/);
    expect(plan).not.toContain('Sort');
  });
});
