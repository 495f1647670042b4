import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { type ContractStore } from './contract/task-queue-contract.js';
import { serviceUrl } from './probe-app.js';

const uniqueName = () => `peregrine_test_${randomBytes(6).toString('hex')}`;

/** Keys of its own, by default in the Redis of the tests. */
export function redisStore(url = serviceUrl('REDIS_URL')): Promise<ContractStore> {
  const prefix = uniqueName();
  return Promise.resolve({
    backend: { type: 'redis', url },
    prefix,
    stealLock: (of, jobId) => overwriteKey(url, `{${of}}:tasks:${jobId}:lock`),
    remove: () => removeKeys(url, prefix),
  });
}

/** A database of its own in the PostgreSQL of the tests. */
export async function ownDatabase(): Promise<{ url: string; remove: () => Promise<void> }> {
  const url = serviceUrl('DATABASE_URL');
  const database = uniqueName();
  await administer(url, `CREATE DATABASE ${database}`);
  const own = new URL(url);
  own.pathname = `/${database}`;
  return { url: own.href, remove: () => administer(url, `DROP DATABASE ${database} WITH (FORCE)`) };
}

/** Its connections may still be closing when their database goes: that ends no test. */
export function ownPool(options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool(options);
  pool.on('error', () => undefined);
  return pool;
}

export async function postgresStore(): Promise<ContractStore> {
  const { url, remove } = await ownDatabase();
  return {
    backend: { type: 'postgres', url },
    prefix: 'contract',
    stealLock: (_of, jobId) =>
      administer(url, `UPDATE bullmq.job SET lock_token = 'thief', locked_until_ms = 0 WHERE id = $1`, [
        jobId,
      ]),
    remove,
  };
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(url);
  for await (const keys of redis.scanStream({ match: `{${prefix}*`, count: 1_000 })) {
    if ((keys as string[]).length > 0) await redis.unlink(keys as string[]);
  }
  await redis.quit();
}

async function overwriteKey(url: string, key: string): Promise<void> {
  const redis = new Redis(url);
  await redis.set(key, 'thief', 'PX', 1);
  await redis.quit();
}

async function administer(url: string, statement: string, values: readonly unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement, [...values]);
  await client.end();
}
