import { type Cache, createCache } from '@peregrine/cache';
import { removeRedisKeys } from '@peregrine/cache/testing';
import { createDataSource } from '@peregrine/database';
import { createMigratedDatabase } from '@peregrine/database/testing';
import { migrations } from '@peregrine/migrations';
import { randomBytes } from 'node:crypto';
import { type DataSource } from 'typeorm';
import { AiParts } from '../../src/ai.module.js';
import { type AiOptionsInput, aiOptionsSchema } from '../../src/ai.options.js';
import { ProviderServer } from '../../src/testing/provider-server.js';
import { aiNamespaces } from './ai-namespaces.js';
import { type ChildTask } from './chat-process.js';

/** One member of a cluster: a cache and a library of its own, on the servers that all share. */
export interface Member extends AiParts {
  readonly cache: Cache;
}

/** A provider, a database and a Redis prefix of its own, and as many members as a test wants. */
export class AiFixture {
  readonly #prefix = `ai-test-${randomBytes(6).toString('hex')}`;
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly provider: ProviderServer,
    readonly dataSource: DataSource,
    private readonly redisUrl: string,
    private readonly databaseUrl: string,
  ) {}

  static async start(): Promise<AiFixture> {
    const { DATABASE_URL, REDIS_URL } = process.env;
    if (!DATABASE_URL || !REDIS_URL)
      throw new Error('Needs DATABASE_URL and REDIS_URL: run it by `npm test`');
    const database = await createMigratedDatabase(DATABASE_URL, migrations);
    const dataSource = await createDataSource({ url: database.url }).initialize();
    const fixture = new AiFixture(await ProviderServer.start(), dataSource, REDIS_URL, database.url);
    fixture.#closers.push(
      () => database.drop(),
      () => dataSource.destroy(),
      () => fixture.provider.stop(),
      () => removeRedisKeys(REDIS_URL, fixture.#prefix),
    );
    return fixture;
  }

  member(options: Omit<Partial<AiOptionsInput>, 'provider'> & { provider?: object } = {}): Member {
    const cache = createCache({
      prefix: this.#prefix,
      redis: { url: this.redisUrl, timeoutMs: 5_000 },
      namespaces: aiNamespaces,
    });
    const provider = {
      ...this.#chatProvider(),
      ...{ embeddingModel: 'text-embedding-3-small', embeddingDimensions: 8 },
      ...options.provider,
    };
    const parsed = aiOptionsSchema.parse({ ...options, provider });
    const parts = new AiParts(parsed, cache, this.dataSource, () => true);
    this.#closers.push(
      () => cache.close(),
      () => parts.ledger.flush(),
      async () => parts.localAnalyser?.close(),
      () => parts.chat.close(),
    );
    return Object.assign(parts, { cache });
  }

  /** What a process needs to be a member, too. */
  cluster(): Omit<ChildTask, 'request'> {
    const { redisUrl, databaseUrl } = this;
    return { prefix: this.#prefix, redisUrl, databaseUrl, provider: this.#chatProvider() };
  }

  #chatProvider() {
    return { baseUrl: this.provider.url, apiKey: 'test-key', chatModel: 'gpt-4o-mini', timeoutMs: 60_000 };
  }

  /** In the reverse order. */
  async stop(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
  }
}
