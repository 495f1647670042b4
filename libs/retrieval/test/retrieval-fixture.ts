import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { createDataSource, DatabaseModule, runMigrations } from '@peregrine/database';
import { createTestDatabase } from '@peregrine/database/testing';
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
  readonly dimensions = DIMENSIONS;
  readonly #vectors = new Map<string, Float32Array>();

  constructor(readonly id = 'chosen-64') {}

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

/** Where a fixture lives. */
export interface FixtureDatabase {
  readonly url: string;
  /** What connects instead of the package `pg`. */
  readonly driver?: object;
  drop(): Promise<void>;
}

/** The library in a Nest application on a database of its own. */
export class RetrievalFixture {
  readonly embedder: ChosenEmbedder;
  #cleanUps: (() => Promise<unknown>)[] = [];
  #app!: INestApplicationContext;

  private constructor(
    private readonly database: FixtureDatabase,
    embedder?: Embedder,
  ) {
    this.embedder = embedder instanceof ChosenEmbedder ? embedder : new ChosenEmbedder();
  }

  /** @param embedder instead of one that gives chosen vectors */
  static async start(options: RetrievalOptionsInput = {}, embedder?: Embedder): Promise<RetrievalFixture> {
    return RetrievalFixture.on(await createTestDatabase(process.env['DATABASE_URL']), options, embedder);
  }

  /** On an empty database, which goes with it. */
  static async on(
    database: FixtureDatabase,
    options: RetrievalOptionsInput = {},
    embedder?: Embedder,
  ): Promise<RetrievalFixture> {
    const fixture = new RetrievalFixture(database, embedder);
    fixture.#cleanUps.push(() => database.drop());
    try {
      await migrate(database);
      await fixture.#open(options, embedder);
    } catch (error) {
      await fixture.stop();
      throw error;
    }
    return fixture;
  }

  /** Another application on the same database, as another process has it; stopped before this one. */
  async beside(
    options: RetrievalOptionsInput = {},
    embedder: Embedder = this.embedder,
  ): Promise<RetrievalFixture> {
    const fixture = new RetrievalFixture(this.database, embedder);
    await fixture.#open(options, embedder);
    this.#cleanUps.push(() => fixture.stop());
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

  async #open(options: RetrievalOptionsInput, embedder: Embedder = this.embedder): Promise<void> {
    const { url, driver } = this.database;
    const module = await Test.createTestingModule({
      imports: [
        DatabaseModule.forRoot({ isGlobal: true, url, driver, entities: [] }),
        RetrievalModule.forRoot({
          codeProgram: new URL('./code-thread.mjs', import.meta.url),
          // A test asks for samples when it is about them.
          calibration: { share: 0 },
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

async function migrate({ url, driver }: FixtureDatabase): Promise<void> {
  const dataSource = createDataSource({ url, driver, migrations });
  await dataSource.initialize();
  try {
    await runMigrations(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
