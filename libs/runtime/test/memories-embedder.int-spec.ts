import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { ProviderServer, vectorOf } from '@peregrine/ai/testing';
import { removeRedisKeys } from '@peregrine/cache/testing';
import { allSettings, loadSettings } from '@peregrine/config';
import { createMigratedDatabase } from '@peregrine/database/testing';
import { MemoryAddService, MemoryQueryService } from '@peregrine/memories';
import { migrations } from '@peregrine/migrations';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { PlatformModule } from '../src/platform.module.js';

const MODEL = 'text-embedding-3-small';
const DIMENSIONS = 8;

const cleanUps: (() => Promise<unknown>)[] = [];
let provider: ProviderServer;
let source: DataSource;
let adding: MemoryAddService;
let querying: MemoryQueryService;
let workspaceId: string;

/** The whole platform, as a worker has it, with a model that is not ours. */
beforeAll(async () => {
  const { DATABASE_URL, REDIS_URL } = process.env;
  if (!DATABASE_URL || !REDIS_URL) throw new Error('Needs DATABASE_URL and REDIS_URL: run it by `npm test`');
  const database = await createMigratedDatabase(DATABASE_URL, migrations);
  cleanUps.push(() => database.drop());
  const prefix = `memories-embedder-${randomBytes(6).toString('hex')}`;
  cleanUps.push(() => removeRedisKeys(REDIS_URL, prefix));
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-runtime-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));
  provider = await ProviderServer.start();
  cleanUps.push(() => provider.stop());
  const settings = loadSettings(allSettings, {
    DATABASE_URL: database.url,
    REDIS_URL,
    CACHE_PREFIX: prefix,
    QUEUE_PREFIX: prefix,
    CURSOR_SECRET: 'a-cursor-secret-of-32-characters',
    STORAGE_FOLDER: join(folder, 'storage'),
    CACHE_OBJECT_FOLDER: join(folder, 'cache'),
    DATABASE_POOL_MIN: '1',
    DATABASE_POOL_MAX: '8',
    INDEX_ADVISOR_MODE: 'off',
    AI_BASE_URL: provider.url,
    AI_API_KEY: 'test-key',
    AI_EMBEDDING_MODEL: MODEL,
    AI_EMBEDDING_DIMENSIONS: String(DIMENSIONS),
    // A busy machine must not look like a Redis that is away.
    CACHE_REDIS_TIMEOUT_MS: '10000',
    MEMORIES_EMBED_DEADLINE_MS: '200',
    // Everything has the same few dimensions: nothing is to be merged by chance.
    MEMORIES_CONSOLIDATION: 'false',
  });
  const module = await Test.createTestingModule({
    imports: [PlatformModule.forRoot(settings, 'worker')],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
  await app.init();
  cleanUps.push(() => app.close());
  source = app.get(DataSource);
  adding = app.get(MemoryAddService, { strict: false });
  querying = app.get(MemoryQueryService, { strict: false });
  workspaceId = randomUUID();
  await source.query(`INSERT INTO workspaces (id, name) VALUES ($1, 'test')`, [workspaceId]);
}, 120_000);
afterAll(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
}, 60_000);

/** The test's own time limit ends what never comes. */
async function eventually<T>(read: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    await pause(20);
  }
}

const embedded = (memoryId: string) =>
  eventually(async () => {
    const [row] = await source.query<{ embedder: string; dimensions: number; embedding: Buffer }[]>(
      'SELECT embedder, dimensions, embedding FROM memory_vectors WHERE memory_id = $1',
      [memoryId],
    );
    return row;
  });
const timesAsked = (text: string) =>
  provider.requests.filter((it) => (it.body['input'] as string[]).includes(text)).length;
const ask = (query: string) => querying.query(workspaceId, { query, limit: 5, learn: false });
/** A busy machine may be late once; the embedding is on its way then, and kept. */
const answered = (query: string) =>
  eventually(async () => {
    const answer = await ask(query);
    return answer.usedVector ? answer : undefined;
  });

it('memories are embedded by the model of the settings, which their rows name', async () => {
  const content = 'The staging database is restored every night.';
  const [added] = await adding.add(workspaceId, [content]);
  const row = await embedded(added?.id ?? '');
  expect(row).toMatchObject({ dimensions: DIMENSIONS });
  expect(row.embedder).toContain(MODEL);
  const expected = Buffer.from(Float32Array.from(vectorOf(content)).buffer);
  expect(row.embedding.equals(expected)).toBe(true);
  expect(timesAsked(content)).toBe(1);
}, 60_000);

it('a query is embedded by the same model, and paid once', async () => {
  const [added] = await adding.add(workspaceId, ['The archive is on the third floor.']);
  await embedded(added?.id ?? '');
  const { hits } = await answered('where is the archive');
  expect(hits.find((it) => it.id === added?.id)?.explanation.vector).not.toBeNull();
  expect((await answered('where is the archive')).usedVector).toBe(true);
  expect(timesAsked('where is the archive')).toBe(1);
}, 60_000);

it('a model that is late holds no query up; what it answers then is kept for the next', async () => {
  provider.latencyMs = 2_000;
  try {
    expect((await ask('which floor')).usedVector).toBe(false);
  } finally {
    provider.latencyMs = 0;
  }
  expect((await answered('which floor')).usedVector).toBe(true);
  expect(timesAsked('which floor')).toBe(1);
}, 60_000);
