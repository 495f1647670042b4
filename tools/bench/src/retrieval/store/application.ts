import 'reflect-metadata';
import type { DynamicModule, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { migrations } from '@peregrine/migrations';
import {
  type Embedder,
  RetrievalModule,
  type RetrievalOptionsInput,
  RetrievalService,
} from '@peregrine/retrieval';

import { APPLICATION_NAME } from './application-name.ts';

/** The library in an application of its own. */
export interface OpenedRetrieval {
  readonly service: RetrievalService;
  get<T>(type: Type<T>): T;
  close(): Promise<void>;
}

/** Options of the library, and of what it stands on. */
export type RetrievalInput = RetrievalOptionsInput & {
  /** @default 4 */
  readonly poolMax?: number;
  /** Instead of the one that the world was stored with. */
  readonly embedder?: Embedder;
};

class RetrievalApplication {}

/** Tables as the migrations make them. */
export async function migrate(url: string): Promise<void> {
  const { createDataSource, runMigrations } = await import('@peregrine/database');
  const source = await createDataSource({ url, migrations }).initialize();
  await runMigrations(source);
  await source.destroy();
}

export async function openRetrieval(
  url: string,
  embedder: Embedder,
  options: RetrievalInput = {},
): Promise<OpenedRetrieval> {
  const { poolMax = 4, embedder: _, ...input } = options;
  const { DatabaseModule } = await import('@peregrine/database');
  const imports: DynamicModule[] = [
    DatabaseModule.forRoot({ isGlobal: true, url, poolMax, applicationName: APPLICATION_NAME, entities: [] }),
    RetrievalModule.forRoot({ ...input, embedder: { useFactory: () => embedder } }),
  ];
  const app = await NestFactory.createApplicationContext(
    { module: RetrievalApplication, imports },
    { logger: ['error'] },
  );
  return {
    service: app.get(RetrievalService, { strict: false }),
    get: (type) => app.get(type, { strict: false }),
    close: () => app.close(),
  };
}
