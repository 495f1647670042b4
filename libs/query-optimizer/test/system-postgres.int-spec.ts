import { afterAll, expect, it, jest } from '@jest/globals';
import { PostgresServer } from './server/postgres-server.js';
import { programsOfSystem } from './server/server-programs.js';
import { TestDatabase } from './test-database.js';

/*
 * The suites that depend most on the server's version (catalogue, cache, pool, loaders), once more on the PostgreSQL that the
 * system has, next to the one that `npm test` brings. Where the system has none there is nothing to run on.
 */
jest.setTimeout(60_000);

const programs = await programsOfSystem();
const server = programs && (await PostgresServer.create(programs, { max_connections: '100' }));

if (server) {
  await server.start();
  process.env['DATABASE_URL'] = server.url;
  await import('./analysis-catalogue.int-spec.js');
  await import('./query-optimizer.int-spec.js');
  await import('./pool-typeorm.int-spec.js');
  await import('./loaders.int-spec.js');
  // After what they leave to the end.
  afterAll(() => server.remove());
}

it(`runs on the PostgreSQL of the system: ${programs ?? 'there is none'}`, async () => {
  const [row] = await TestDatabase.serverRows<{ folder: string }>(
    `SELECT setting AS folder FROM pg_config WHERE name = 'BINDIR'`,
  );
  if (programs) expect(row?.folder).toBe(programs);
});
