import 'reflect-metadata';
import { join } from 'node:path';
import { type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CacheModule } from '@peregrine/cache';
import { contentEntities, ContentModule, contentTasks, WorkspaceService } from '@peregrine/content';
import type { Transactions } from '@peregrine/database';
import { migrations } from '@peregrine/migrations';
import { QueryOptimizerModule } from '@peregrine/query-optimizer';
import { TaskQueueModule } from '@peregrine/task-queue';

/** The library in an application of its own, with a workspace. */
export interface OpenedContent {
  readonly workspaceId: string;
  get<T>(type: Type<T>): T;
  close(): Promise<void>;
}

export interface ContentSetup {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Of the storage, and of what may be synced. */
  readonly folder: string;
  readonly isCached: boolean;
}

// Loaded late, as in all of the bench: the command builds it first.
const database = await import('@peregrine/database');

class ContentApplication {}

export async function openContent(setup: ContentSetup): Promise<OpenedContent> {
  await migrate(setup.databaseUrl);
  const module: DynamicModule = { module: ContentApplication, imports: importsOf(setup) };
  const app = await NestFactory.createApplicationContext(module, { logger: ['error'] });
  const { id: workspaceId } = await app.get(WorkspaceService, { strict: false }).create('bench');
  return { workspaceId, get: (type) => app.get(type, { strict: false }), close: () => app.close() };
}

function importsOf({ databaseUrl, redisUrl, folder, isCached }: ContentSetup): DynamicModule[] {
  return [
    database.DatabaseModule.forRoot({ isGlobal: true, url: databaseUrl, entities: [...contentEntities] }),
    QueryOptimizerModule.forRoot({
      isGlobal: true,
      pool: { connectionString: databaseUrl, min: 1, max: 4, reserve: 1 },
      cache: { enabled: false, listen: false },
    }),
    CacheModule.forRoot({ isGlobal: true, redis: { url: redisUrl }, enabled: () => isCached }),
    TaskQueueModule.forRootAsync({
      isGlobal: true,
      inject: [database.Transactions],
      useFactory: (transactions: Transactions) => ({
        backend: { type: 'redis' as const, url: redisUrl },
        tasks: contentTasks,
        worker: { concurrency: 4 },
        transactions: database.driverTransactions(transactions),
      }),
    }),
    ContentModule.forRoot({
      cursorSecret: 'a-secret-of-the-bench-of-the-content',
      storage: { driver: 'folder', folder: { root: join(folder, 'storage') } },
      sync: { roots: [folder] },
    }),
  ];
}

async function migrate(url: string): Promise<void> {
  const dataSource = await database.createDataSource({ url, migrations }).initialize();
  try {
    await database.runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
