import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';

export interface TestDatabase {
  readonly dataSource: DataSource;
  drop(): Promise<void>;
}

/** A new database with the table of the storage, in the server of `DATABASE_URL`. */
export async function createStorageDatabase(): Promise<TestDatabase> {
  const url = process.env['DATABASE_URL'];
  if (!url) throw new Error('DATABASE_URL is not set: run npm test, or set it to a PostgreSQL server');
  const name = `peregrine_test_${randomBytes(6).toString('hex')}`;
  const server = await new DataSource({ type: 'postgres', url }).initialize();
  await server.query(`CREATE DATABASE ${name}`);
  const own = new URL(url);
  own.pathname = `/${name}`;
  const dataSource = await new DataSource({ type: 'postgres', url: own.href }).initialize();
  await dataSource.query(
    `CREATE TABLE storage_objects (
       key uuid PRIMARY KEY, data bytea NOT NULL, size_bytes bigint NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now())`,
  );
  return {
    dataSource,
    drop: async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await server.destroy();
    },
  };
}
