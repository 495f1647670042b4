import { createTestDatabase } from '@peregrine/database/testing';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, programOf, ServiceProcess } from './service-process.js';
import { until } from './until.js';

export interface PlatformOptions {
  /** How many workers. @default 1 */
  workers?: number;
  /** False: the queue on PostgreSQL, the cache in memory. @default true */
  redis?: boolean;
  /** Another database than a fresh one on the test server. */
  databaseUrl?: string;
  env?: Record<string, string>;
}

const OUTSIDE_PREFIX = /^\/(?:health|docs|metrics|admin(?!\/profiles)|static|console)/;

/** An answer with its body read. */
export interface Answer {
  status: number;
  headers: Headers;
  /** JSON as it came; its shape is what each test asserts. */
  body: ReturnType<typeof JSON.parse>;
}

/** The built api and workers on a database, a queue and a storage folder of their own. */
export class Platform {
  readonly adminKey = `pgn_${randomBytes(32).toString('base64url')}`;
  apiKey = '';
  url = '';
  /** Where contents lie. */
  storageFolder = '';
  api!: ServiceProcess;
  readonly workers: ServiceProcess[] = [];
  /** Where the first workers show their probes and figures. */
  workerUrls: string[] = [];
  #env: Record<string, string> = {};
  #cleanUps: (() => Promise<unknown>)[] = [];

  static async start(options: PlatformOptions = {}): Promise<Platform> {
    const platform = new Platform();
    try {
      await platform.#start(options);
    } catch (error) {
      await platform.stop();
      throw error;
    }
    return platform;
  }

  async #start({ workers = 1, redis = true, databaseUrl, env = {} }: PlatformOptions): Promise<void> {
    const database = databaseUrl ?? (await this.#createDatabase());
    const folder = await mkdtemp(join(tmpdir(), 'peregrine-e2e-'));
    this.#cleanUps.push(() => rm(folder, { recursive: true, force: true }));
    this.storageFolder = join(folder, 'storage');
    const prefix = `e2e-${randomBytes(6).toString('hex')}`;
    this.#env = {
      DATABASE_URL: database,
      ...(redis ? { REDIS_URL: requireRedis() } : {}),
      PORT: '0',
      STORAGE_FOLDER: this.storageFolder,
      CACHE_OBJECT_FOLDER: join(folder, 'cache'),
      CURSOR_SECRET: 'e2e-cursor-secret-of-32-characters',
      BOOTSTRAP_ADMIN_KEY: this.adminKey,
      CACHE_PREFIX: prefix,
      QUEUE_PREFIX: prefix,
      SHUTDOWN_DRAIN_MS: '0',
      // An answer that is late on a machine with much to do would be an outage: lost hits, a memory that is emptied.
      CACHE_REDIS_TIMEOUT_MS: '10000',
      // Many platforms share the tests' server.
      DATABASE_POOL_MIN: '2',
      DATABASE_POOL_MAX: '20',
      LOG_LEVEL: 'warn',
      // Its hour must not come in the middle of a test.
      INDEX_ADVISOR_MODE: 'off',
      ...env,
    };
    if (redis) this.#cleanUps.push(() => removeKeys(requireRedis(), prefix));
    await migrate(database);
    this.api = this.spawn('api');
    for (let worker = 0; worker < workers; worker++) this.workers.push(this.spawn('worker'));
    this.url = await this.api.listening();
    this.workerUrls = await Promise.all(this.workers.map((it) => it.listening()));
    this.apiKey = await this.createKey(['content:read', 'content:write', 'memories:read', 'memories:write']);
  }

  /** One more process of this platform. */
  spawn(app: 'api' | 'worker', env: Record<string, string> = {}): ServiceProcess {
    return this.run(programOf(app), [], env);
  }

  /** Any program of the repository, in the environment of this platform. */
  run(program: string, args: readonly string[], env: Record<string, string> = {}): ServiceProcess {
    const service = new ServiceProcess(program, { ...this.#env, ...env }, args);
    this.#cleanUps.push(() => service.stop('SIGKILL'));
    return service;
  }

  /** What the processes of this platform are told. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  async restartApi(): Promise<void> {
    this.api = this.spawn('api');
    this.url = await this.api.listening();
  }

  /** A request with the API key, unless it has another; objects are sent as JSON. */
  async request(
    method: string,
    path: string,
    init: { body?: unknown; headers?: Record<string, string>; key?: string; url?: string } = {},
  ): Promise<Answer> {
    const { body, headers = {}, key = this.apiKey, url = this.url } = init;
    const raw =
      body === undefined ||
      typeof body === 'string' ||
      body instanceof Uint8Array ||
      body instanceof FormData;
    const response = await fetch(`${url}${OUTSIDE_PREFIX.test(path) ? '' : '/api/v1'}${path}`, {
      method,
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? (body as string) : JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    // A file's content stays text, even when it is JSON.
    const json = type.includes('problem+json') || (type.includes('json') && !path.endsWith('/content'));
    return {
      status: response.status,
      headers: response.headers,
      body: json && text !== '' ? JSON.parse(text) : text,
    };
  }

  async createKey(scopes: string[], workspaceIds: string[] = []): Promise<string> {
    const { body } = await this.request('POST', '/api-keys', {
      key: this.adminKey,
      body: { name: 'test', scopes, workspaceIds },
    });
    return body.key as string;
  }

  async createWorkspace(name = 'test'): Promise<string> {
    return (await this.request('POST', '/workspaces', { body: { name } })).body.id as string;
  }

  async upload(workspaceId: string, path: string, content: string | Uint8Array, type = 'text/plain') {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const answer = await this.request('PUT', `/workspaces/${workspaceId}/files/${encoded}`, {
      body: content,
      headers: { 'content-type': type },
    });
    return { ...answer, file: answer.body.file as { id: string; sha256: string; revision: number } };
  }

  /** Waits until no file of the workspace is pending. */
  async extracted(workspaceId: string): Promise<void> {
    await until(async () => {
      const { body } = await this.request('GET', `/workspaces/${workspaceId}/statistics`);
      return body.byStatus.pending === 0;
    });
  }

  async stop(): Promise<void> {
    for (const cleanUp of this.#cleanUps.reverse()) await cleanUp();
  }

  async #createDatabase(): Promise<string> {
    const database = await createTestDatabase(process.env['DATABASE_URL']);
    this.#cleanUps.push(() => database.drop());
    return database.url;
  }
}

/** Redis for the tests; missing, it is a failure that says what to do. */
export function requireRedis(): string {
  const url = process.env['REDIS_URL'];
  if (!url) throw new Error('REDIS_URL is not set: run "npm test", or set it to a Redis for tests');
  return url;
}

async function removeKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = new Redis(redisUrl);
  const keys = (await redis.keys(`*${prefix}*`)).map((key) => redis.unlink(key));
  await Promise.all(keys);
  redis.disconnect();
}
