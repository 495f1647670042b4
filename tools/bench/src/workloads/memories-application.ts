import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HashingModel } from '@peregrine/ai';
import { CacheModule } from '@peregrine/cache';
// eslint-disable-next-line @nx/enforce-module-boundaries -- loaded in a worker, after the build
import {
  createDataSource,
  DatabaseModule,
  driverTransactions,
  runMigrations,
  Transactions,
} from '@peregrine/database';
import { type Embedder, MemoriesModule, memoryTasks } from '@peregrine/memories';
import { migrations } from '@peregrine/migrations';
import { QueryOptimizerModule } from '@peregrine/query-optimizer';
import { TaskQueueModule } from '@peregrine/task-queue';

/** The library in an application of its own. */
export interface OpenedMemories {
  get<T>(type: Type<T>): T;
  close(): Promise<void>;
}

class MemoriesApplication {}

/** Tables as the migrations make them. */
export async function migrate(url: string): Promise<void> {
  const source = await createDataSource({ url, migrations }).initialize();
  await runMigrations(source);
  await source.destroy();
}

/** As a remote model answers: after so many milliseconds, whatever it is asked. Nothing is kept. */
export function embedderAfter(latencyMs: number): Embedder {
  const model = new HashingModel();
  return {
    id: model.id,
    dimensions: model.dimensions,
    embed: async (texts) => {
      await pause(latencyMs);
      return (await model.embed(texts)).vectors;
    },
  };
}

export async function openMemories(
  databaseUrl: string,
  redisUrl: string,
  embedder: Embedder,
): Promise<OpenedMemories> {
  const imports: DynamicModule[] = [
    DatabaseModule.forRoot({ isGlobal: true, url: databaseUrl, entities: [] }),
    QueryOptimizerModule.forRoot({
      isGlobal: true,
      pool: { connectionString: databaseUrl, min: 1, max: 4, reserve: 1 },
      cache: { enabled: false, listen: false },
    }),
    CacheModule.forRoot({ isGlobal: true, redis: { url: redisUrl } }),
    TaskQueueModule.forRootAsync({
      isGlobal: true,
      inject: [Transactions],
      useFactory: (transactions: Transactions) => ({
        backend: { type: 'redis' as const, url: redisUrl },
        tasks: memoryTasks,
        // A worker is another process, on another day.
        worker: false as const,
        transactions: driverTransactions(transactions),
      }),
    }),
    MemoriesModule.forRoot({
      cursorSecret: 'a-secret-of-the-bench-of-memories',
      embedder: { useFactory: () => embedder },
    }),
  ];
  const app = await NestFactory.createApplicationContext(
    { module: MemoriesApplication, imports },
    { logger: ['error'] },
  );
  return { get: (type) => app.get(type, { strict: false }), close: () => app.close() };
}
