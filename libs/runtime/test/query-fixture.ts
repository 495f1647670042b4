import { Logger } from '@nestjs/common';
import { type Cache, createCache } from '@peregrine/cache';
import { removeRedisKeys } from '@peregrine/cache/testing';
import { createDataSource } from '@peregrine/database';
import { createTestDatabase } from '@peregrine/database/testing';
import { createQueryOptimizer, installChangeTriggers, type QueryOptimizer } from '@peregrine/query-optimizer';
import { randomBytes } from 'node:crypto';
import { type DataSource } from 'typeorm';
import { CachedResultStore } from '../src/queries/cached-result-store.js';

/** What stands for one process: a cache and an optimizer on it. */
export interface Member {
  readonly cache: Cache;
  readonly optimizer: QueryOptimizer;
}

/** Processes of one deployment, on a database and a Redis prefix of their own, and a session that is none of theirs. */
export class QueryFixture {
  readonly #cleanUps: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly redisUrl: string,
    readonly databaseUrl: string,
    readonly stranger: DataSource,
    readonly prefix: string,
  ) {}

  static async start(): Promise<QueryFixture> {
    const redisUrl = process.env['REDIS_URL'];
    if (!redisUrl) throw new Error('REDIS_URL is not set: run npm test, or set it to a Redis for tests');
    const database = await createTestDatabase(process.env['DATABASE_URL']);
    const stranger = await createDataSource({ url: database.url, poolMax: 2 }).initialize();
    // Of cut connections much is said, and all of it is meant to be.
    Logger.overrideLogger(false);
    const prefix = `queries-${randomBytes(6).toString('hex')}`;
    const fixture = new QueryFixture(redisUrl, database.url, stranger, prefix);
    fixture.#cleanUps.push(
      () => removeRedisKeys(redisUrl, prefix),
      () => database.drop(),
      () => stranger.destroy(),
    );
    await stranger.query(
      'CREATE TABLE item (id int PRIMARY KEY, tenant int NOT NULL, n int NOT NULL, note text)',
    );
    for (const sql of installChangeTriggers([{ schema: 'public', name: 'item' }])) await stranger.query(sql);
    return fixture;
  }

  /** @param redisUrl null: in memory alone */
  async member(redisUrl: string | null = this.redisUrl, maxResultBytes = 65_536): Promise<Member> {
    const cache = createCache({
      prefix: this.prefix,
      ...(redisUrl !== null && { redis: { url: redisUrl, timeoutMs: 2_000 } }),
      // As the platform has it: results must not be renewed behind the caller's back even so.
      namespaces: { query: { ttlMs: 300_000, earlyRefresh: 100 } },
    });
    const optimizer = await createQueryOptimizer({
      connectionString: this.databaseUrl,
      pool: { min: 1, max: 4, reserve: 1 },
      store: new CachedResultStore(cache.namespace('query')),
      // Patient: a busy machine is no reason to distrust.
      cache: { maxStalenessMs: 60_000, maxResultBytes },
    });
    this.#cleanUps.push(async () => {
      await optimizer.close();
      await cache.close();
    });
    return { cache, optimizer };
  }

  onStop(cleanUp: () => Promise<unknown>): void {
    this.#cleanUps.push(cleanUp);
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }
}
