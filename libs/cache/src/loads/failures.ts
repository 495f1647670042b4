import type { EntryStore } from '../entry-store.js';
import type { Target } from '../target.js';
import { MemoryTier } from '../memory/memory-tier.js';
import type { Settings } from './settings.js';

/** The last failed load of a key. Times of the cache's clock. */
export interface Failure {
  readonly error: unknown;
  readonly target: Target;
  /** Until then the error answers. */
  readonly answersUntil: number;
  /** Until then a stale value is served without another load. */
  readonly restsUntil: number;
  /** Failures in a row. */
  readonly count: number;
}

const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 60_000;
const MAX_FAILURES = 10_000;

/**
 * Remembers loads that failed: for `errorTtlMs` their error is the answer, and behind a stale value the origin rests for
 * 1, 2, 4 … up to 60 seconds. Bounded; what is forgotten costs another load.
 */
export class Failures {
  readonly #failures: MemoryTier<Failure>;

  constructor(private readonly store: EntryStore) {
    const { clock } = store.tiers;
    this.#failures = new MemoryTier({ maxEntries: MAX_FAILURES, now: () => clock.now() });
  }

  /** The failure that still counts: not expired, and nothing it depended on was invalidated since. */
  find(target: Target): Failure | undefined {
    if (this.#failures.size === 0) return undefined;
    const failure = this.#failures.get(target.address);
    if (failure === undefined || !this.store.overtaken(failure.target, target.tagSlots)) return failure;
    this.#failures.delete(target.address);
    return undefined;
  }

  record(target: Target, error: unknown, settings: Settings): void {
    const cached = settings.errorTtlMs > 0 && settings.cacheError?.(error) !== false;
    const rests = settings.staleIfErrorMs > 0 || settings.staleWhileRevalidateMs > 0;
    if ((!cached && !rests) || this.store.overtaken(target)) return;
    const count = (this.find(target)?.count ?? 0) + 1;
    const restMs = rests ? Math.min(FIRST_REST_MS * 2 ** (count - 1), LONGEST_REST_MS) : 0;
    const answerMs = cached ? settings.errorTtlMs : 0;
    const now = this.store.tiers.clock.now();
    const failure = { error, target, answersUntil: now + answerMs, restsUntil: now + restMs, count };
    // Outlives its rest, so that the next failure in a row is known for one.
    this.#failures.set(target.address, failure, { ttlMs: Math.max(answerMs, 2 * restMs) });
  }

  forget(target: Target): void {
    if (this.#failures.size > 0) this.#failures.delete(target.address);
  }
}
