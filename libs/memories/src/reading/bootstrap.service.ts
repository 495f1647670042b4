import { Injectable } from '@nestjs/common';
import { Cache, type CacheNamespace } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import { memoriesTag } from '../memories.cache-tags.js';
import { type Memory, MEMORY_TIERS, type MemoryTier } from '../memory.js';

/** How much of a bootstrap each tier has; what one does not fill, the others may. */
const TIER_SHARES: Readonly<Record<MemoryTier, number>> = { active: 0.4, thread: 0.3, stable: 0.3 };

export interface BootstrapMemory extends Memory {
  lastUsedAt: Date;
}

const ofTier = (tier: MemoryTier) => `
(SELECT '${tier}' AS tier, memory_id, last_used_at, ${MEMORY_TIERS.indexOf(tier)} AS rank,
        row_number() OVER (ORDER BY last_used_at DESC, memory_id) > ceil($2 * ${TIER_SHARES[tier]}) AS surplus
   FROM (
     SELECT memory_id, last_used_at FROM memory_states s
      WHERE s.workspace_id = $1 AND s.tier = '${tier}'
        AND EXISTS (SELECT FROM memory_words w WHERE w.memory_id = s.memory_id)
      ORDER BY last_used_at DESC, memory_id LIMIT $2
   ) latest)`;

/** One statement: the latest of each tier by its index, then as many as are wanted. */
const BOOTSTRAP = `
WITH chosen AS (
  SELECT * FROM (${MEMORY_TIERS.map(ofTier).join('\nUNION ALL\n')}) tiers
   ORDER BY surplus, last_used_at DESC, memory_id LIMIT $2
)
SELECT m.id, m.kind, m.content, c.tier, m.created_at AS "createdAt", c.last_used_at AS "lastUsedAt"
  FROM chosen c JOIN memories m ON m.id = c.memory_id AND m.workspace_id = $1
 ORDER BY c.rank, c.last_used_at DESC, m.id`;

/** What an agent begins a conversation with. */
@Injectable()
export class BootstrapService {
  readonly #cached: CacheNamespace;

  constructor(
    private readonly transactions: Transactions,
    cache: Cache,
  ) {
    this.#cached = cache.namespace('query');
  }

  /**
   * The memories used last, of all tiers: at most 40 % active, 30 % thread, 30 % stable where there are enough of each.
   * Reads only, and counts as no use. Cached until a memory is added, deleted, merged, or changes its tier.
   */
  bootstrap(workspaceId: string, limit: number): Promise<BootstrapMemory[]> {
    return this.#cached.getOrSet(
      `memories:${workspaceId}:bootstrap:${limit}`,
      () => this.transactions.manager.query<BootstrapMemory[]>(BOOTSTRAP, [workspaceId, limit]),
      { tags: [memoriesTag(workspaceId)] },
    );
  }
}
