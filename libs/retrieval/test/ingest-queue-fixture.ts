import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CacheModule } from '@peregrine/cache';
import {
  contentEntities,
  ContentModule,
  contentTasks,
  FileUploadService,
  WorkspaceService,
} from '@peregrine/content';
import { DatabaseModule, driverTransactions, Transactions } from '@peregrine/database';
import { createMigratedDatabase, until } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { QueryOptimizerModule } from '@peregrine/query-optimizer';
import { TaskQueueModule } from '@peregrine/task-queue';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import { ingestExtractedTexts, RetrievalModule, retrievalTasks } from '../src/index.js';
import { CountingEmbedder } from './ingest-fixture.js';

/** Content, retrieval and their tasks in a Nest application, on one database. */
export class IngestQueueFixture {
  readonly embedder = new CountingEmbedder();
  #cleanUps: (() => Promise<unknown>)[] = [];
  #app!: INestApplicationContext;

  /** @param listens false: as it was before there was retrieval */
  static async start({ listens = true } = {}): Promise<IngestQueueFixture> {
    const database = await createMigratedDatabase(process.env['DATABASE_URL'], migrations);
    const fixture = new IngestQueueFixture();
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-ingest-'));
    fixture.#cleanUps.push(
      () => database.drop(),
      () => rm(folder, { recursive: true, force: true }),
    );
    try {
      await fixture.#open(database.url, folder, listens);
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

  async workspace(): Promise<string> {
    return (await this.get(WorkspaceService).create('test')).id;
  }

  /** @returns the file's id */
  async upload(workspaceId: string, path: string, content: string): Promise<string> {
    const body = Readable.from([Buffer.from(content)], { objectMode: false });
    const { file } = await this.get(FileUploadService).upload(workspaceId, path, body, { limitBytes: 1e9 });
    return file.id;
  }

  /** Waits until that holds for no file of the workspace any more. */
  async untilNone(workspaceId: string, condition: string): Promise<void> {
    const sql = `SELECT 1 FROM files f LEFT JOIN retrieval_documents d ON d.document_id = f.id WHERE f.workspace_id = $1 AND (${condition})`;
    await until(async () => (await this.query(sql, [workspaceId])).length === 0);
  }

  extracted(workspaceId: string): Promise<void> {
    return this.untilNone(workspaceId, `f.status = 'pending'`);
  }

  ingested(workspaceId: string): Promise<void> {
    const isOther = `(d.revision, d.embedder) IS DISTINCT FROM (f.revision, '${this.embedder.id}')`;
    return this.untilNone(workspaceId, `f.status = 'pending' OR ${isOther}`);
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }

  async #open(url: string, folder: string, listens: boolean): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        QueryOptimizerModule.forRoot({
          isGlobal: true,
          pool: { connectionString: url, min: 1, max: 4, reserve: 1 },
          cache: { enabled: false, listen: false },
        }),
        DatabaseModule.forRoot({ isGlobal: true, url, entities: [...contentEntities] }),
        CacheModule.forRoot({ isGlobal: true, prefix: 'ingest' }),
        TaskQueueModule.forRootAsync({
          isGlobal: true,
          inject: [Transactions],
          useFactory: (transactions: Transactions) => ({
            backend: { type: 'postgres' as const, url },
            prefix: 'ingest',
            tasks: [...contentTasks, ...retrievalTasks],
            worker: { concurrency: 64 },
            transactions: driverTransactions(transactions),
          }),
        }),
        ContentModule.forRoot({
          cursorSecret: 'a-secret-of-the-tests-of-retrieval',
          storage: { driver: 'folder', folder: { root: folder } },
          sweepIntervalMs: 86_400_000,
          ...(listens && { onTextExtracted: ingestExtractedTexts }),
        }),
        RetrievalModule.forRoot({
          codeProgram: new URL('./code-thread.mjs', import.meta.url),
          embedder: { useFactory: () => this.embedder },
          sweepIntervalMs: 86_400_000,
          sweep: true,
        }),
      ],
    }).compile();
    module.useLogger(false);
    this.#app = await module.init();
    this.#cleanUps.push(() => module.close());
  }
}
