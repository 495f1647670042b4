import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DatabaseModule } from '@peregrine/database';
import { createMigratedDatabase } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import {
  ChunkStore,
  type Embedder,
  RetrievalModule,
  type RetrievalOptionsInput,
  RetrievalService,
} from '../src/index.js';

export const DIMENSIONS = 64;

/** Gives the vectors that a test has chosen for its texts. */
export class ChosenEmbedder implements Embedder {
  readonly id = 'chosen-64';
  readonly dimensions = DIMENSIONS;
  readonly #vectors = new Map<string, Float32Array>();

  choose(text: string, vector: Float32Array): string {
    this.#vectors.set(text, vector);
    return text;
  }

  embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
    return Promise.resolve(texts.map((it) => this.#vectors.get(it) ?? new Float32Array(DIMENSIONS).fill(1)));
  }
}

export interface AddedDocument {
  readonly documentId: string;
  readonly ids: string[];
}

/** The library in a Nest application on a database of its own. */
export class RetrievalFixture {
  readonly embedder = new ChosenEmbedder();
  #cleanUps: (() => Promise<unknown>)[] = [];
  #app!: INestApplicationContext;

  /** @param embedder instead of the one that gives chosen vectors */
  static async start(options: RetrievalOptionsInput = {}, embedder?: Embedder): Promise<RetrievalFixture> {
    const database = await createMigratedDatabase(process.env['DATABASE_URL'], migrations);
    const fixture = new RetrievalFixture();
    fixture.#cleanUps.push(() => database.drop());
    try {
      await fixture.#open(database.url, options, embedder ?? fixture.embedder);
    } catch (error) {
      await fixture.stop();
      throw error;
    }
    return fixture;
  }

  get service(): RetrievalService {
    return this.get(RetrievalService);
  }

  get<T>(type: Type<T>): T {
    return this.#app.get(type, { strict: false });
  }

  query<T>(sql: string, parameters: unknown[] = []): Promise<T[]> {
    return this.get(DataSource).query(sql, parameters);
  }

  async workspace(): Promise<string> {
    const id = randomUUID();
    await this.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'test')`, [id]);
    return id;
  }

  async file(workspaceId: string): Promise<string> {
    const id = randomUUID();
    await this.query(
      `INSERT INTO files (id, workspace_id, path, name, media_type, size_bytes, sha256, status)
       VALUES ($1::uuid, $2, $1::text, 'a file', 'text/markdown', 1, '', 'extracted')`,
      [id, workspaceId],
    );
    return id;
  }

  /** A new file in chunks. */
  async add(
    workspaceId: string,
    texts: readonly string[],
    { type = 'note', createdAt = new Date('2026-01-01') } = {},
  ): Promise<AddedDocument> {
    const documentId = await this.file(workspaceId);
    const ids = await this.get(ChunkStore).replace(workspaceId, { documentId, type, createdAt, texts });
    return { documentId, ids };
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }

  async #open(url: string, options: RetrievalOptionsInput, embedder: Embedder): Promise<void> {
    const module = await Test.createTestingModule({
      imports: [
        DatabaseModule.forRoot({ isGlobal: true, url, entities: [] }),
        RetrievalModule.forRoot({
          codeProgram: new URL('./code-thread.mjs', import.meta.url),
          ...options,
          embedder: { useFactory: () => embedder },
        }),
      ],
    }).compile();
    module.useLogger(false);
    this.#app = await module.init();
    this.#cleanUps.push(() => module.close());
  }
}
