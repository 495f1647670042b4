import { CacheOptionsError } from '../cache.errors.js';

/** Why an entry left a `MemoryTier`. */
export type RemovalReason = 'evict' | 'expire' | 'delete' | 'replace' | 'clear';

/** Options of a `MemoryTier`. */
export interface MemoryTierOptions<V> {
  /** Whole number from 1 to 16,000,000, or `Infinity` for the latter. @default 50_000 */
  readonly maxEntries?: number;
  /** Bytes, positive; `Infinity` for no bound. @default 1 GiB */
  readonly maxBytes?: number;
  /** Life of an entry that is set without one of its own, whole milliseconds. @default entries do not expire */
  readonly ttlMs?: number;
  /**
   * What an entry counts for against `maxBytes`; 0 or more.
   * @default `estimateBytes(value) + entryBytes(key)`, which walks the value
   */
  readonly weigh?: (value: V, key: string) => number;
  /** Monotonic clock, milliseconds. @default `performance.now` */
  readonly now?: () => number;
  /** Called once for each entry that leaves, after the change is complete. What it throws, the caller gets. */
  readonly onRemove?: (key: string, value: V, reason: RemovalReason) => void;
}

/** Limits of a `MemoryTier`. */
export interface MemoryLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** V8 keeps no more than 2^24 keys in one Map. */
const MOST_ENTRIES = 16_000_000;

/**
 * Fills in the defaults.
 * @throws {CacheOptionsError} names every wrong option.
 */
export function parseMemoryTierOptions<V>(
  options: MemoryTierOptions<V>,
): MemoryTierOptions<V> & MemoryLimits {
  const { maxEntries = 50_000, maxBytes = 2 ** 30, ttlMs } = options;
  const problems = [...limitProblems({ maxEntries, maxBytes })];
  if (ttlMs !== undefined && !isTtl(ttlMs)) {
    problems.push(`ttlMs must be a whole, positive number of milliseconds, not ${ttlMs}`);
  }
  for (const name of ['weigh', 'now', 'onRemove'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      problems.push(`${name} must be a function`);
    }
  }
  if (problems.length > 0) throw new CacheOptionsError(problems.join('\n'));
  return { ...options, maxBytes, maxEntries: Math.min(maxEntries, MOST_ENTRIES) };
}

/** @throws {CacheOptionsError} */
export function parseMemoryLimits(limits: MemoryLimits): MemoryLimits {
  const problems = limitProblems(limits);
  if (problems.length > 0) throw new CacheOptionsError(problems.join('\n'));
  return { maxBytes: limits.maxBytes, maxEntries: Math.min(limits.maxEntries, MOST_ENTRIES) };
}

/** Whether it is a whole, positive number of milliseconds. */
export const isTtl = (ttlMs: number): boolean => Number.isSafeInteger(ttlMs) && ttlMs > 0;

function limitProblems({ maxEntries, maxBytes }: MemoryLimits): string[] {
  const problems: string[] = [];
  const isCount = Number.isInteger(maxEntries) && maxEntries >= 1 && maxEntries <= MOST_ENTRIES;
  if (!isCount && maxEntries !== Infinity) {
    problems.push(
      `maxEntries must be a whole number from 1 to ${MOST_ENTRIES}, or Infinity, not ${maxEntries}`,
    );
  }
  if (typeof maxBytes !== 'number' || !(maxBytes > 0)) {
    problems.push(`maxBytes must be a positive number, not ${maxBytes}`);
  }
  return problems;
}
