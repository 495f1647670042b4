/**
 * Plain counters of one namespace; the hot path only adds to them. Whole numbers since the start of the process,
 * but for `entries` and `bytes`, which are levels, and `…Ms`, which are sums of milliseconds.
 */
export class NamespaceCounters {
  memoryHits = 0;
  memoryMisses = 0;
  redisHits = 0;
  redisMisses = 0;
  objectHits = 0;
  objectMisses = 0;
  /** Reads answered with a value past its fresh time (while revalidating, on an error, on a soft timeout). */
  staleHits = 0;
  /** Entries in memory. */
  entries = 0;
  /** Their bytes, estimated. */
  bytes = 0;
  /** Entries pushed out of memory for want of room. */
  evictions = 0;
  /** Entries that left memory since their time was over. */
  expirations = 0;
  loads = 0;
  loadMs = 0;
  loadErrors = 0;
  /** Callers that waited for a load of another caller in this process. */
  coalesced = 0;
  /** Loads of this process that were spared, since another process held the lease. */
  clusterCoalesced = 0;
  /** Times a load waited for the lease of another process. */
  leaseWaits = 0;
  /** Loads in the background that renew a stale entry. */
  refreshes = 0;
  /** Loads in the background that renew an entry before it is stale (XFetch). */
  earlyRefreshes = 0;
  /** Stale values served since the load failed; part of `staleHits`. */
  staleOnError = 0;
  /** Callers that got the stale value since the load was slower than `softTimeoutMs`. */
  softTimeouts = 0;
  /** Callers that were refused since the load was slower than `hardTimeoutMs`. */
  hardTimeouts = 0;
  /** Errors of loaders that were kept for `errorTtlMs`. */
  cachedErrors = 0;
  /** Entries that were checked against Redis since messages of the bus may have been missed. */
  suspected = 0;
  /** Values lifted from Redis into memory. */
  promotions = 0;
  /** Values lifted from the object store into a faster tier. */
  objectPromotions = 0;
  /** Loaded values that were not stored because an invalidation overtook the load. */
  overtaken = 0;
  /** Values that were not stored because of their type or their size. */
  refused = 0;
  /** Reads and loads while `enabled` said no. */
  bypassed = 0;
}

/** Counters of the Redis tier as a whole. */
export class RedisCounters {
  /** Operations that failed or ran into their deadline. */
  errors = 0;
  /** Messages of other processes. */
  messages = 0;
  /** Times entries in memory became suspect since messages may have been missed; they are checked against Redis. */
  suspicions = 0;
  /** Entries that could not be read: damaged, or not what this version writes. */
  undecodable = 0;
  /** Entries that were encrypted with a key that is not known here. */
  unknownKeys = 0;
  /** Values without a binary form. */
  refused = 0;
}
