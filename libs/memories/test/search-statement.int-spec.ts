import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@peregrine/database/testing';
import { createDataSource } from '@peregrine/database';
import { type DataSource } from 'typeorm';
import { TERM_FREQUENCY } from '../src/querying/search-statement.js';

/** PostgreSQL keeps no more positions of a word. */
const MOST = 255;

let database: TestDatabase;
let source: DataSource;
beforeAll(async () => {
  database = await createTestDatabase(process.env['DATABASE_URL']);
  source = await createDataSource({ url: database.url }).initialize();
}, 60_000);
afterAll(async () => {
  await source?.destroy();
  await database?.drop();
});

describe('the frequency of a term', () => {
  it('is what unnest counts, for every number that a tsvector can hold', async () => {
    const rows = await source.query<{ n: number; counted: number; derived: number }[]>(
      `SELECT n, (SELECT cardinality(positions) FROM unnest(v) WHERE lexeme = 'owl') AS counted,
              ${TERM_FREQUENCY('v', `'owl'::tsquery`)} AS derived
         FROM generate_series(1, ${MOST}) n, to_tsvector('english', repeat('owl by night ', n)) v`,
    );
    expect(rows).toHaveLength(MOST);
    for (const { n, counted, derived } of rows) expect([n, derived]).toEqual([n, counted]);
  });
});
