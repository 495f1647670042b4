import type { Servers } from '../harness/bench.ts';
import { BenchPostgres } from '../harness/postgres-server.ts';
import { BenchRedis } from '../harness/redis-server.ts';
import type { StoreKind } from './libraries/contract.ts';

/** A Redis and a PostgreSQL of our own. */
export class BenchStores implements Servers {
  readonly versions: Readonly<Record<string, string>>;
  readonly #redis: BenchRedis;
  readonly #postgres: BenchPostgres;

  private constructor(redis: BenchRedis, postgres: BenchPostgres) {
    this.#redis = redis;
    this.#postgres = postgres;
    this.versions = { Redis: `${redis.version}, without files`, ...postgres.versions };
  }

  /** @throws {BenchRedisError} @throws {EmbeddedPostgresError} */
  static async start(): Promise<BenchStores> {
    const postgres = await BenchPostgres.start();
    return new BenchStores(await BenchRedis.start(), postgres);
  }

  /** Runs the work on an empty store, and throws away what it leaves. */
  async withEmpty<T>(kind: StoreKind, work: (url: string) => Promise<T>): Promise<T> {
    if (kind === 'postgres') return this.#postgres.withDatabase(work);
    await this.#redis.flush();
    return work(this.#redis.url);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#redis.stop(), this.#postgres.stop()]);
  }
}
