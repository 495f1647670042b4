import { type Client } from 'pg';
import { type QueryRunner } from 'typeorm';
import { type QueryResultCache } from 'typeorm/cache/QueryResultCache.js';
import { type QueryResultCacheOptions } from 'typeorm/cache/QueryResultCacheOptions.js';
import { type QueryOptimizer } from '../query-optimizer.js';

/**
 * TypeORM's `cache` option on the optimizer: `cache: { provider: () => queryResultCache(optimizer) }`. What a call asks
 * to be cached (`cache: true`, `.cache('id', ms)`) is kept like everything else here, so writes invalidate it, and values
 * stay what they are: TypeORM's own providers turn them into JSON. Needs {@link poolDriver} of the same optimizer.
 */
export function queryResultCache(optimizer: QueryOptimizer): QueryResultCache {
  return new OptimizedResultCache(optimizer);
}

class OptimizedResultCache implements QueryResultCache {
  constructor(private readonly optimizer: QueryOptimizer) {}

  connect(): Promise<void> {
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    return Promise.resolve();
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  /** Answers with nothing: the statement itself, which TypeORM sends then, is answered from the cache. */
  async getFromCache(options: QueryResultCacheOptions, runner?: QueryRunner): Promise<undefined> {
    if (!runner) return;
    const client = (await runner.connect()) as Client;
    const { identifier, query = '', duration } = options;
    const text = query.slice(0, query.lastIndexOf(' -- PARAMETERS: '));
    this.optimizer.markCached(client, text, { ttlMs: duration, ...(identifier && { tags: [identifier] }) });
  }

  storeInCache(): Promise<void> {
    return Promise.resolve();
  }

  isExpired(): boolean {
    return true;
  }

  async clear(): Promise<void> {
    await this.optimizer.clear();
  }

  async remove(identifiers: string[]): Promise<void> {
    await this.optimizer.invalidateTags(identifiers);
  }
}
