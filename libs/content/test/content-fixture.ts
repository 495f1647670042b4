import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CacheModule, FolderStore } from '@peregrine/cache';
import { removeRedisKeys } from '@peregrine/cache/testing';
import { DatabaseModule, driverTransactions, Transactions } from '@peregrine/database';
import { createMigratedDatabase, until } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { QueryOptimizerModule } from '@peregrine/query-optimizer';
import { TaskQueueModule } from '@peregrine/task-queue';
import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { DataSource } from 'typeorm';
import {
  contentEntities,
  ContentModule,
  type ContentOptionsInput,
  contentTasks,
  type FileLocation,
  FileContentService,
  FileUploadService,
  ObjectStore,
  type TextListener,
  type UploadedFile,
  WorkspaceService,
} from '../src/index.js';
import { deafListener } from '../src/extraction/text-listener.js';
import { createStorageDrivers } from '../src/storage/storage-drivers.js';
import type { StorageDriverName } from '../src/storage/storage-driver.js';
import type { StorageOptions } from '../src/storage/storage.options.js';
import { STORAGE_DRIVERS, STORAGE_OPTIONS } from '../src/storage/storage.tokens.js';
import { ObservedStorage } from './observed-storage.js';

export interface FixtureOptions {
  /** Whether tasks are run. @default true */
  worker?: boolean;
  /** Another way to the database than the direct one, from its URL. */
  databaseUrl?: (direct: string) => string;
  sweepIntervalMs?: number;
  /** Given: the cache has an object tier, and contents of up to this size pass through it in pieces. */
  cachePiecesUpToBytes?: number;
  /** Conversions of more bytes are tasks. */
  convertInTaskFromBytes?: number;
  /** Of one conversion. */
  conversionTimeoutMs?: number;
  /** Hears of texts. */
  onTextExtracted?: TextListener;
  /** Of a server whose buckets may be synced. */
  s3?: NonNullable<NonNullable<ContentOptionsInput['sync']>['s3']> & { bucket: string };
}

/** What several applications of one deployment share. */
interface Deployment {
  databaseUrl: string;
  redisUrl: string;
  folder: string;
  /** What may be synced. */
  syncRoot: string;
  prefix: string;
}

/** The library in a Nest application on a database, a Redis prefix and a storage folder of its own. */
export class ContentFixture {
  #cleanUps: (() => Promise<unknown>)[] = [];
  #app!: INestApplicationContext;
  readonly drivers = new Map<StorageDriverName, ObservedStorage>();

  private constructor(readonly deployment: Deployment) {}

  static async start(options: FixtureOptions = {}): Promise<ContentFixture> {
    const redisUrl = process.env['REDIS_URL'];
    if (!redisUrl) throw new Error('REDIS_URL is not set: run npm test, or set it to a Redis for tests');
    const database = await createMigratedDatabase(process.env['DATABASE_URL'], migrations);
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-content-'));
    const syncRoot = await realpath(await mkdtemp(join(tmpdir(), 'peregrine-sync-')));
    const prefix = `content-${randomBytes(6).toString('hex')}`;
    const fixture = new ContentFixture({ databaseUrl: database.url, redisUrl, folder, syncRoot, prefix });
    fixture.#cleanUps.push(
      () => database.drop(),
      () => rm(folder, { recursive: true, force: true }),
      () => rm(syncRoot, { recursive: true, force: true }),
      () => removeRedisKeys(redisUrl, prefix),
    );
    try {
      await fixture.#open(options);
    } catch (error) {
      await fixture.stop();
      throw error;
    }
    return fixture;
  }

  /** Another process of the deployment, with a cache that hears nothing of the first one's. Stopped with it. */
  async sibling(options: FixtureOptions = {}): Promise<ContentFixture> {
    const prefix = `${this.deployment.prefix}-sibling${this.#cleanUps.length}`;
    const sibling = new ContentFixture({ ...this.deployment, prefix });
    this.#cleanUps.push(() => sibling.stop());
    await sibling.#open(options);
    return sibling;
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
    return (await this.get(WorkspaceService).create('test')).id;
  }

  upload(
    workspaceId: string,
    path: string,
    content: string | Uint8Array,
    mediaType?: string,
  ): Promise<UploadedFile> {
    const body = Readable.from([Buffer.from(content)], { objectMode: false });
    return this.get(FileUploadService).upload(workspaceId, path, body, { limitBytes: 1e9, mediaType });
  }

  /** Straight from the storage, past the cache. */
  read(location: FileLocation): Promise<Buffer> {
    return this.get(ObjectStore).readAll(location.object, { maxBytes: 1e9 });
  }

  async download(workspaceId: string, fileId: string): Promise<Buffer> {
    return this.read(await this.get(FileContentService).locate(workspaceId, fileId));
  }

  /** The keys of all stored objects. */
  async objects(): Promise<string[]> {
    const keys: string[] = [];
    for await (const { key } of this.get(ObjectStore).list()) keys.push(key);
    return keys.sort();
  }

  /** The keys of the objects that files refer to. */
  async referredObjects(): Promise<string[]> {
    const rows = await this.query<{ key: string }>(
      `SELECT DISTINCT r.object_key AS key
         FROM storage_resources r JOIN file_storages s ON s.storage_resource_id = r.id ORDER BY 1`,
    );
    return rows.map((it) => it.key);
  }

  /** Waits until no file of the workspace waits for its text. */
  extracted(workspaceId: string): Promise<void> {
    return until(
      async () =>
        (await this.count(`files WHERE workspace_id = $1 AND status = 'pending'`, [workspaceId])) === 0,
    );
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) await cleanUp();
  }

  async #open(options: FixtureOptions): Promise<void> {
    const {
      worker = true,
      databaseUrl = (it: string) => it,
      sweepIntervalMs,
      cachePiecesUpToBytes,
      ...others
    } = options;
    const { redisUrl, folder, syncRoot, prefix } = this.deployment;
    const objectStore =
      cachePiecesUpToBytes === undefined
        ? {}
        : { objectStore: { store: new FolderStore({ path: join(folder, 'cache') }) } };
    const module = await Test.createTestingModule({
      imports: [
        DatabaseModule.forRoot({
          isGlobal: true,
          url: databaseUrl(this.deployment.databaseUrl),
          entities: [...contentEntities],
        }),
        // Nothing is cached by it here: what tests read past the services is what they find.
        QueryOptimizerModule.forRoot({
          isGlobal: true,
          pool: { connectionString: this.deployment.databaseUrl, min: 1, max: 4, reserve: 1 },
          cache: { enabled: false, listen: false },
        }),
        CacheModule.forRoot({
          isGlobal: true,
          prefix,
          redis: { url: redisUrl, timeoutMs: 2_000 },
          ...objectStore,
        }),
        TaskQueueModule.forRootAsync({
          isGlobal: true,
          inject: [Transactions],
          useFactory: (transactions: Transactions) => ({
            backend: { type: 'redis' as const, url: redisUrl },
            prefix,
            tasks: contentTasks,
            worker: worker ? { concurrency: 20 } : false,
            transactions: driverTransactions(transactions),
          }),
        }),
        ContentModule.forRoot({
          cursorSecret: 'a-secret-of-the-tests-of-content',
          storage: { driver: 'folder', folder: { root: folder } },
          conversionProgram: new URL('./conversion-thread.mjs', import.meta.url),
          ...(others.convertInTaskFromBytes !== undefined && {
            convertInTaskFromBytes: others.convertInTaskFromBytes,
          }),
          ...(others.conversionTimeoutMs && { conversionTimeoutMs: others.conversionTimeoutMs }),
          sync: { roots: [syncRoot], ...bucketsOf(others.s3) },
          ...(cachePiecesUpToBytes !== undefined && { cachePiecesUpToBytes }),
          onTextExtracted: { useFactory: () => others.onTextExtracted ?? deafListener },
          sweep: true,
          sweepIntervalMs: sweepIntervalMs ?? 86_400_000,
        }),
      ],
    })
      .overrideProvider(STORAGE_DRIVERS)
      .useFactory({
        inject: [STORAGE_OPTIONS, DataSource],
        factory: (options: StorageOptions, dataSource: DataSource) => this.#observed(options, dataSource),
      })
      .compile();
    module.useLogger(false);
    this.#app = await module.init();
    this.#cleanUps.push(() => module.close());
  }

  #observed(options: StorageOptions, dataSource: DataSource) {
    for (const [name, driver] of createStorageDrivers(options, dataSource)) {
      this.drivers.set(name, new ObservedStorage(driver));
    }
    return this.drivers;
  }
}

function bucketsOf(s3: FixtureOptions['s3']) {
  if (!s3) return {};
  const { bucket, ...connection } = s3;
  return { buckets: [bucket], s3: connection };
}
