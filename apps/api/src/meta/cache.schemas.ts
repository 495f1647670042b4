import { z } from 'zod';

const share = z.number().min(0).max(1);
const count = z.int().min(0);

const tierSchema = z.object({
  hits: count,
  misses: count,
  hitRate: share.describe('hits / (hits + misses)'),
  entries: count.nullable().describe('null: not known without walking through the tier'),
  bytes: count.nullable().describe('Estimated; null as entries'),
  evictions: count.nullable().describe('Pushed out for want of room; null as entries'),
  expirations: count.nullable().describe('Left since their time was over; null as entries'),
  promotions: count.describe('Values lifted from here into a faster tier'),
  utilization: share.nullable().describe("Share of the tier's bound that this namespace uses"),
});

const recentSchema = z
  .object({
    oneMinute: share.nullable(),
    fiveMinutes: share.nullable(),
    fifteenMinutes: share.nullable(),
  })
  .describe('Rolling hit rates; null when there was no read');

const namespaceSchema = z.looseObject({
  memory: tierSchema,
  redis: tierSchema,
  object: tierSchema,
  reads: count,
  hits: count,
  hitRate: share,
  recent: recentSchema,
  staleHits: count,
  loads: z
    .looseObject({ count, errors: count, averageMs: z.number(), coalesced: count, bypassed: count })
    .describe('What became of the loads, and `bypassed`: calls past the cache, since the rollout said so'),
});

const tierStateSchema = z.looseObject({
  configured: z.boolean(),
  available: z.boolean(),
  errors: count,
});

/** The answer of `cache-stats`; figures of this process since its start. */
export const cacheStatisticsSchema = z
  .object({
    status: z.enum(['healthy', 'warming', 'warning', 'critical']),
    recommendation: z.string(),
    summary: z.object({
      contentEntries: count,
      searchEntries: count,
      queryEntries: count,
      totalMemoryMb: z.number(),
      utilizationPct: z.number(),
      cacheHitRate: share,
    }),
    statistics: z.object({
      namespaces: z.record(z.string(), namespaceSchema),
      memory: z.object({
        entries: count,
        bytes: count,
        maxBytes: count,
        maxEntries: count,
        utilization: share,
      }),
      redis: tierStateSchema,
      objectStore: tierStateSchema,
      hitRate: share,
      recent: recentSchema,
    }),
  })
  .meta({ id: 'CacheStatistics' });

const tagSchema = z.string().min(1).max(1_024);

/** What to remove: everything, a namespace, or what carries a tag, there or anywhere. */
export const flushSchema = z
  .strictObject({
    namespace: z.string().min(1).max(64).optional().describe('Only this namespace'),
    tags: z.array(tagSchema).min(1).max(500).optional().describe('Only entries with one of these tags'),
  })
  .default({})
  .meta({ id: 'FlushCache' });

export type Flush = z.output<typeof flushSchema>;

export const flushedSchema = z
  .object({
    flushed: z.string().describe('What was removed'),
    reach: z
      .enum(['every process', 'this process'])
      .describe('Where it is gone now; `note` says when elsewhere'),
    note: z.string(),
  })
  .meta({ id: 'FlushedCache' });

export type Flushed = z.output<typeof flushedSchema>;

const percent = z
  .number()
  .min(0)
  .max(100)
  .multipleOf(0.01)
  .describe('Share of the keys that are cached, 0 to 100');
const namespaces = z.record(z.string().regex(/^[A-Za-z][\w-]{0,63}$/), percent);

/** A rollout that stands before the one of the environment. */
export const rolloutSchema = z
  .strictObject({
    percent: percent.optional().describe('For all namespaces; replaces all of CACHE_ENABLED'),
    namespaces: namespaces.optional().describe('For single namespaces'),
  })
  .refine((it) => it.percent !== undefined || Object.keys(it.namespaces ?? {}).length > 0, {
    message: 'expected percent, namespaces, or both',
  })
  .meta({ id: 'CacheRollout' });

export type CacheRollout = z.output<typeof rolloutSchema>;

const wholeRollout = z.object({ percent, namespaces });

export const rolloutStateSchema = z
  .object({
    inForce: wholeRollout.describe('What this process does; the others follow within seconds'),
    configured: wholeRollout.describe('CACHE_ENABLED'),
    override: rolloutSchema.nullable().describe('What was put; null: nothing'),
  })
  .meta({ id: 'CacheRolloutState' });

export type CacheRolloutState = z.output<typeof rolloutStateSchema>;
