import type { Servers } from './bench.ts';
import { BenchPostgres } from './postgres-server.ts';
import { BenchRedis } from './redis-server.ts';

/** Where tasks or rows are kept. */
export type StoreKind = 'redis' | 'postgres';

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
