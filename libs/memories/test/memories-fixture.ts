import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { HashingModel } from '@peregrine/ai';
import { CacheModule } from '@peregrine/cache';
import { removeRedisKeys } from '@peregrine/cache/testing';
import { DatabaseModule, driverTransactions, Transactions } from '@peregrine/database';
import { createMigratedDatabase, until } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { QueryOptimizer, QueryOptimizerModule } from '@peregrine/query-optimizer';
import { poolDriver } from '@peregrine/query-optimizer/typeorm';
import { TaskQueueModule } from '@peregrine/task-queue';
import { randomBytes, randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import {
  type AddedMemory,
  type Embedder,
  MemoriesModule,
  type MemoriesOptionsInput,
  MemoryAddService,
  type MemoryAnswer,
  MemoryQueryService,
  memoryTasks,
} from '../src/index.js';
import { TermTotals } from '../src/statistics/term-totals.service.js';

export interface FixtureOptions extends Partial<MemoriesOptionsInput> {
  embedder?: Embedder;
  /** Of the PostgreSQL on which the database is made. @default `DATABASE_URL` */
  serverUrl?: string | undefined;
  /** False: no task runs, so that no statement is sent but those of the test. @default true */
  worker?: boolean;
}

/** The embedder that needs no model. */
export const hashingEmbedder = (): Embedder => {
  const model = new HashingModel();
  return {
    id: model.id,
    dimensions: model.dimensions,
    embed: async (texts) => (await model.embed(texts)).vectors,
  };
};

/** A query waits for its embedding however busy the machine is. */
const PATIENT_MS = 60_000;

/** The library in a Nest application on a database and a Redis prefix of its own. */
export class MemoriesFixture {
  #cleanUps: (() => Promise<unknown>)[] = [];
  #app!: INestApplicationContext;

  private constructor(readonly databaseUrl: string) {}

  static async start({
    serverUrl = process.env['DATABASE_URL'],
    ...options
  }: FixtureOptions = {}): Promise<MemoriesFixture> {
    const redisUrl = process.env['REDIS_URL'];
    if (!redisUrl) throw new Error('REDIS_URL is not set: run npm test, or set it to a Redis for tests');
    const database = await createMigratedDatabase(serverUrl, migrations);
    const fixture = new MemoriesFixture(database.url);
    const prefix = `memories-${randomBytes(6).toString('hex')}`;
    fixture.#cleanUps.push(
      () => database.drop(),
      () => removeRedisKeys(redisUrl, prefix),
    );
    try {
      await fixture.#open(redisUrl, prefix, options);
    } catch (error) {
      await fixture.stop();
      throw error;
    }
    return fixture;
  }

  get<T>(type: Type<T>): T {
    return this.#app.get(type, { strict: false });
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.get(DataSource).query(sql, parameters);
  }

  async count(from: string, parameters: unknown[] = []): Promise<number> {
    const [row] = await this.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`, parameters);
    return row?.n ?? 0;
  }

  async workspace(): Promise<string> {
    const id = randomUUID();
    await this.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'test')`, [id]);
    return id;
  }

  add(workspaceId: string, ...contents: string[]): Promise<AddedMemory[]> {
    return this.get(MemoryAddService).add(workspaceId, contents);
  }

  /** Adds, and waits until all are embedded and counted. @returns the ids in the order of the contents */
  async remember(workspaceId: string, ...contents: string[]): Promise<string[]> {
    const added = await this.add(workspaceId, ...contents);
    await this.settled(workspaceId);
    return added.map((it) => it.id);
  }

  find(workspaceId: string, query: string, limit = 10): Promise<MemoryAnswer> {
    return this.get(MemoryQueryService).query(workspaceId, { query, limit, learn: false });
  }

  /** Waits until no memory of the workspace waits for its embedding, and counts its words. */
  async settled(workspaceId: string): Promise<void> {
    const waiting = 'memory_pending_embeddings WHERE workspace_id = $1';
    await until(async () => (await this.count(waiting, [workspaceId])) === 0);
    await this.get(TermTotals).count(workspaceId);
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }

  async #open(
    redisUrl: string,
    prefix: string,
    { embedder = hashingEmbedder(), worker = true, ...options }: FixtureOptions,
  ): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        QueryOptimizerModule.forRoot({
          isGlobal: true,
          pool: { connectionString: this.databaseUrl, min: 1, max: 12, reserve: 1 },
          cache: { enabled: false, listen: false },
        }),
        DatabaseModule.forRootAsync({
          isGlobal: true,
          inject: [QueryOptimizer],
          useFactory: (optimizer: QueryOptimizer) => ({
            url: this.databaseUrl,
            entities: [],
            driver: poolDriver(optimizer.pool),
          }),
        }),
        CacheModule.forRoot({ isGlobal: true, prefix, redis: { url: redisUrl, timeoutMs: 2_000 } }),
        TaskQueueModule.forRootAsync({
          isGlobal: true,
          inject: [Transactions],
          useFactory: (transactions: Transactions) => ({
            backend: { type: 'redis' as const, url: redisUrl },
            prefix,
            tasks: memoryTasks,
            worker: worker && { concurrency: 64 },
            transactions: driverTransactions(transactions),
          }),
        }),
        MemoriesModule.forRoot({
          cursorSecret: 'a-secret-of-the-tests-of-memories',
          embedDeadlineMs: PATIENT_MS,
          // Tests write feedback when they want it written.
          feedback: { intervalMs: 86_400_000 },
          sweepIntervalMs: 86_400_000,
          ...options,
          embedder: { useFactory: () => embedder },
          sweep: true,
        }),
      ],
    }).compile();
    module.useLogger(false);
    this.#app = await module.init();
    this.#cleanUps.push(() => module.close());
  }
}
