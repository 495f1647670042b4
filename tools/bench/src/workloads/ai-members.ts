import { AI_CACHE_NAMESPACES, aiOptionsSchema, AiParts } from '@peregrine/ai';
import { ProviderServer } from '@peregrine/ai/testing';
import { type Cache, createCache } from '@peregrine/cache';
import { migrations } from '@peregrine/migrations';
import { randomUUID } from 'node:crypto';

const HOUR_MS = 3_600_000;
const DIMENSIONS = 8;
export const CHAT_MODEL = 'gpt-4o-mini';

/** A provider and members of a cluster, each with a cache of its own, as processes would have. */
export interface AiCluster {
  readonly provider: ProviderServer;
  member(): AiParts;
  stop(): Promise<void>;
}

export async function startAiCluster(redisUrl: string, databaseUrl: string): Promise<AiCluster> {
  const { createDataSource, runMigrations } = await import('@peregrine/database');
  const provider = await ProviderServer.start();
  const dataSource = await createDataSource({ url: databaseUrl, migrations }).initialize();
  await runMigrations(dataSource);
  const prefix = randomUUID();
  const members: { readonly parts: AiParts; readonly cache: Cache }[] = [];
  return {
    provider,
    member() {
      const cache = createCache({
        prefix,
        redis: { url: redisUrl, timeoutMs: 5_000 },
        namespaces: {
          [AI_CACHE_NAMESPACES.results]: { ttlMs: HOUR_MS },
          [AI_CACHE_NAMESPACES.embeddings]: { ttlMs: HOUR_MS },
          [AI_CACHE_NAMESPACES.live]: { ttlMs: HOUR_MS, tiers: ['redis'] },
        },
      });
      const options = aiOptionsSchema.parse({
        provider: {
          baseUrl: provider.url,
          chatModel: CHAT_MODEL,
          embeddingModel: 'text-embedding-3-small',
          embeddingDimensions: DIMENSIONS,
        },
      });
      const parts = new AiParts(options, cache, dataSource, () => true);
      members.push({ parts, cache });
      return parts;
    },
    async stop() {
      for (const { parts, cache } of members) {
        await parts.chat.close();
        await parts.localAnalyser?.close();
        await parts.ledger.flush();
        await cache.close();
      }
      await dataSource.destroy();
      await provider.stop();
    },
  };
}
