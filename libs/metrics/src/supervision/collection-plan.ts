import { type MemoryManagerOptions } from './memory-manager.options.js';
import { type MemoryLevel } from './memory-pressure.js';
import { type MemoryReading } from './memory-reader.js';

/** The heap seems full and the latest collection says otherwise: V8 itself is about to look, milliseconds. */
const SUSPECT_EVERY_MS = 2_000;
/** Collecting may take one part in so many of the time. */
const PARTS = 20;

type Limits = Pick<MemoryManagerOptions, 'trimRatio' | 'shedRatio' | 'collectEveryMs'>;

/**
 * When to collect garbage. Under pressure, since what was let go of counts until then. And when used heap is near its
 * limit, since only a collection tells a full heap from garbage.
 */
export class CollectionPlan {
  #endedAtMs = -Infinity;
  #tookMs = 0;

  constructor(private readonly limits: Limits) {}

  /** @param collectedAtMs V8's own latest */
  isDue(
    level: MemoryLevel,
    { heapUsedBytes, heapLimitBytes, heapRatio }: MemoryReading,
    { nowMs, collectedAtMs = -Infinity }: { nowMs: number; collectedAtMs: number | undefined },
  ): boolean {
    const { trimRatio, shedRatio, collectEveryMs } = this.limits;
    const usedRatio = heapUsedBytes / heapLimitBytes;
    if (level === 'normal' && usedRatio < trimRatio) return false;
    const isSuspect = usedRatio >= shedRatio && heapRatio < shedRatio;
    const sinceMs = nowMs - Math.max(this.#endedAtMs, collectedAtMs);
    return sinceMs >= Math.max(isSuspect ? SUSPECT_EVERY_MS : collectEveryMs, this.#tookMs * PARTS);
  }

  /** Monotonic times, milliseconds. */
  collected(startedAtMs: number, endedAtMs: number): void {
    this.#endedAtMs = endedAtMs;
    this.#tookMs = endedAtMs - startedAtMs;
  }
}
