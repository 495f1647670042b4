import { BenchPostgres } from '../harness/postgres-server.ts';
import { BenchRedis } from '../harness/redis-server.ts';

/** What the workloads run on. */
export class WorkloadServers {
  readonly postgres: BenchPostgres;
  readonly redis: BenchRedis;

  private constructor(postgres: BenchPostgres, redis: BenchRedis) {
    this.postgres = postgres;
    this.redis = redis;
  }

  static async start(): Promise<WorkloadServers> {
    const redis = await BenchRedis.start();
    try {
      return new WorkloadServers(await BenchPostgres.start({}), redis);
    } catch (error) {
      await redis.stop();
      throw error;
    }
  }

  get versions(): Record<string, string> {
    return { ...this.postgres.versions, ...this.redis.versions };
  }

  async stop(): Promise<void> {
    await this.postgres.stop();
    await this.redis.stop();
  }
}
