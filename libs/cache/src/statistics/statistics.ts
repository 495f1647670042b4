/** Figures of one tier. Counts run from the start of the process. */
export interface TierStatistics {
  readonly hits: number;
  readonly misses: number;
  /** hits / (hits + misses), 0 to 1; 0 before the first read. */
  readonly hitRate: number;
  /** null: not known without walking through the tier. */
  readonly entries: number | null;
  /** Bytes, estimated; null as `entries`. */
  readonly bytes: number | null;
  /** Entries pushed out for want of room; null as `entries`. */
  readonly evictions: number | null;
  /** Entries that left since their time was over; null as `entries`. */
  readonly expirations: number | null;
  /** Values lifted from here into a faster tier. */
  readonly promotions: number;
  /** Share of the tier's bound of bytes that this namespace uses, 0 to 1; null without a bound or as `entries`. */
  readonly utilization: number | null;
}

/** Hit rates of the last minutes, 0 to 1; null when there was no read. A window may be up to 5 s longer. */
export interface RecentHitRates {
  readonly oneMinute: number | null;
  readonly fiveMinutes: number | null;
  readonly fifteenMinutes: number | null;
}

/** What became of the loads of one namespace. */
export interface LoadStatistics {
  /** Runs of loaders. */
  readonly count: number;
  readonly errors: number;
  /** Sum over all runs of loaders, milliseconds. */
  readonly totalMs: number;
  readonly averageMs: number;
  /** Callers that shared the run of another caller in this process. */
  readonly coalesced: number;
  /** Loads that were spared, since another process brought the value. */
  readonly clusterCoalesced: number;
  /** Times a load waited for the lease of another process. */
  readonly leaseWaits: number;
  /** Runs in the background for an entry that had become stale. */
  readonly refreshes: number;
  /** Runs in the background for an entry that was still fresh. */
  readonly earlyRefreshes: number;
  /** Callers that got a stale value since the load was too slow (`softTimeoutMs`). */
  readonly softTimeouts: number;
  /** Callers that got no value since the load was too slow (`hardTimeoutMs`). */
  readonly hardTimeouts: number;
  /** Errors that were kept for `errorTtlMs`. */
  readonly cachedErrors: number;
  /** Values not stored, since an invalidation overtook their load. */
  readonly overtaken: number;
  /** Values not stored, for their type or size. */
  readonly refused: number;
  /** Calls that went past the cache, since `enabled` said no. */
  readonly bypassed: number;
}

/** Figures of one namespace. */
export interface NamespaceStatistics {
  readonly memory: TierStatistics;
  readonly redis: TierStatistics;
  readonly object: TierStatistics;
  /** All reads; each looks into memory first. */
  readonly reads: number;
  /** Reads that some tier answered. */
  readonly hits: number;
  /** hits / reads, 0 to 1; 0 before the first read. */
  readonly hitRate: number;
  readonly recent: RecentHitRates;
  /** Reads answered with a value past its fresh time. */
  readonly staleHits: number;
  /** Those of them that hid a failed load. */
  readonly staleOnError: number;
  /** Entries checked against Redis, since messages may have been missed. */
  readonly suspected: number;
  readonly loads: LoadStatistics;
}

/** The memory tier as a whole. */
export interface MemoryStatistics {
  readonly entries: number;
  /** Estimated. */
  readonly bytes: number;
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** The fuller of the two bounds, 0 to 1. */
  readonly utilization: number;
}

/** The Redis tier as a whole. */
export interface RedisStatistics {
  readonly configured: boolean;
  /** Connected, and trusted with reads. */
  readonly available: boolean;
  /** Whether invalidations of other processes are being received. */
  readonly subscribed: boolean;
  readonly breakerOpen: boolean;
  /** Invalidations that wait for Redis to come back. */
  readonly pendingInvalidations: number;
  readonly errors: number;
  /** Bus messages of other processes. */
  readonly messages: number;
  /** Times memory was no longer trusted as a whole, because messages may have been missed. */
  readonly suspicions: number;
  /** Entries that could not be read: damaged, or not what this version writes. */
  readonly undecodable: number;
  /** Entries that were encrypted with a key that is not known here. */
  readonly unknownKeys: number;
  /** Values that have no form in Redis. */
  readonly refused: number;
  /** Why a server can not be used; null when all can. Nothing of the credentials. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
  /** The masters in use, and how many buckets of the keys each has. */
  readonly servers: readonly { readonly name: string; readonly ready: boolean; readonly buckets: number }[];
}

/** The object tier as a whole. */
export interface ObjectStoreStatistics {
  readonly configured: boolean;
  /** Answers, as far as is known. */
  readonly available: boolean;
  /** Operations that failed or ran into their deadline. */
  readonly errors: number;
  /** Objects; null when the store does not count them. */
  readonly entries: number | null;
  /** Bytes of the objects; null when the store does not count them. */
  readonly bytes: number | null;
  /** null: without a bound. */
  readonly maxBytes: number | null;
  /** Objects removed for want of room; null when the store does not count them. */
  readonly evictions: number | null;
}

/** All figures of a cache. */
export interface CacheStatistics {
  readonly namespaces: Readonly<Record<string, NamespaceStatistics>>;
  readonly memory: MemoryStatistics;
  readonly redis: RedisStatistics;
  readonly objectStore: ObjectStoreStatistics;
  /** Of all namespaces together, since the start; 0 before the first read. */
  readonly hitRate: number;
  /** Of all namespaces together. */
  readonly recent: RecentHitRates;
}

/** The short form for dashboards. Entries are those in memory. */
export interface CacheSummary {
  readonly contentEntries: number;
  readonly searchEntries: number;
  readonly queryEntries: number;
  /** Values in memory, MiB. */
  readonly totalMemoryMb: number;
  /** Share of `memory.maxBytes` in use, 0 to 100. */
  readonly utilizationPct: number;
  /** Share of reads that a tier answered, 0 to 1. */
  readonly cacheHitRate: number;
}

/** One sample of a family. */
export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Appended to the family's name, as `_sum` in a histogram. */
  readonly suffix?: string;
}

/** Plain figures in the shape of the Prometheus text format. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}
