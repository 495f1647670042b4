import { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import { btree_gin } from '@electric-sql/pglite/contrib/btree_gin';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { type FixtureDatabase } from './retrieval-fixture.js';

/** An empty database in this process, with pgvector. It has one connection, so that statements wait for each other. */
export async function createPgliteDatabase(): Promise<FixtureDatabase> {
  const database = await PGlite.create({ extensions: { vector, btree_gin } });
  class PglitePool extends pg.Pool {
    constructor() {
      super({ ...createPgConfig(database), max: 1 });
    }
  }
  return {
    url: 'postgres://postgres@pglite/postgres',
    driver: { ...pg, Pool: PglitePool },
    drop: () => database.close(),
  };
}
