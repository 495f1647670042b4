import { type CacheNamespace } from '@peregrine/cache';
import { type LoadedRows, type ResultStore, type Rows } from '@peregrine/query-optimizer';
import { createHash } from 'node:crypto';

/** Beyond it a tag is replaced by its hash: it may hold a value of a row, and travels with every entry. */
const MAX_TAG_LENGTH = 100;

/**
 * Results of queries in a namespace of the cache, so in all of its tiers. That nothing is handed out whose tag was
 * invalidated after its load had begun is the cache's own guarantee (generations), as is the one load for all who come
 * together.
 */
export class CachedResultStore implements ResultStore {
  constructor(private readonly results: CacheNamespace) {}

  peek(key: string): Rows | undefined {
    return this.results.peek<Rows>(key);
  }

  async getOrLoad(
    key: string,
    tags: readonly string[],
    ttlMs: number,
    load: () => Promise<LoadedRows>,
  ): Promise<{ rows: Rows; isHit: boolean }> {
    let isHit = true;
    const rows = await this.results.getOrSet<Rows>(
      key,
      async (context) => {
        isHit = false;
        const loaded = await load();
        if (!loaded.isStorable) context.doNotStore();
        return loaded.rows;
      },
      // A refresh in the background would use the caller's connection, which is another's by then.
      { ttlMs, tags: tags.map(shorten), earlyRefresh: 0, staleWhileRevalidateMs: 0 },
    );
    return { rows, isHit };
  }

  invalidate(tags: readonly string[]): Promise<void> {
    return this.results.invalidateTags(tags.map(shorten));
  }

  clear(): Promise<void> {
    return this.results.clear();
  }
}

function shorten(tag: string): string {
  if (tag.length <= MAX_TAG_LENGTH) return tag;
  return `#${createHash('sha256').update(tag).digest('base64url')}`;
}
