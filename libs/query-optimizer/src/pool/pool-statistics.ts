import { QUERY_PRIORITIES, type QueryPriority } from './query-priority.js';

/** Upper bounds, milliseconds; the last bucket has none. */
export const WAIT_BUCKETS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500] as const;

/** A caller that was served this fast did not wait in any sense that matters, milliseconds. */
const PROMPT_MS = 10;

export interface WaitHistogram {
  /** Callers within each of {@link WAIT_BUCKETS_MS}, not summed up, and beyond. */
  readonly buckets: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

/** Of the pool as it is now. */
export interface PoolState {
  readonly size: number;
  readonly idle: number;
  readonly inUse: number;
  readonly opening: number;
  readonly waiting: Readonly<Record<QueryPriority, number>>;
  /** What the pool may grow to now: `max`, or what the server has room for. */
  readonly capacity: number;
  /** Connections that were kept for too long, since the pool was made. */
  readonly leaks: number;
}

/** Counted since the pool was made. */
export interface PoolStatistics extends PoolState {
  readonly acquired: Readonly<Record<QueryPriority, number>>;
  readonly waits: Readonly<Record<QueryPriority, WaitHistogram>>;
  readonly timeouts: number;
  readonly refused: number;
  readonly opened: number;
  readonly openFailures: number;
  /** By reason. */
  readonly closed: Readonly<Record<CloseReason, number>>;
  /** Connections that came back inside a transaction, which was rolled back. */
  readonly unfinishedTransactions: number;
  /** Share of callers that had a connection within 10 ms, 0 to 1; 1 before the first. */
  readonly efficiency: number;
}

export const CLOSE_REASONS = ['idle', 'broken', 'expired', 'no-room', 'busy', 'shutdown'] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

/** The counters behind {@link PoolStatistics}. */
export class PoolCounters {
  timeouts = 0;
  refused = 0;
  opened = 0;
  openFailures = 0;
  unfinishedTransactions = 0;
  readonly closed = Object.fromEntries(CLOSE_REASONS.map((it) => [it, 0])) as Record<CloseReason, number>;
  readonly #waits = Object.fromEntries(
    QUERY_PRIORITIES.map((it) => [it, new Float64Array(WAIT_BUCKETS_MS.length + 1)]),
  ) as Record<QueryPriority, Float64Array>;
  readonly #sums = { high: 0, normal: 0, low: 0 };
  #served = 0;
  #prompt = 0;

  served(priority: QueryPriority, waitedMs: number): void {
    // Most wait for nothing.
    const bucket = waitedMs === 0 ? 0 : WAIT_BUCKETS_MS.findIndex((it) => waitedMs <= it);
    const buckets = this.#waits[priority];
    const index = bucket === -1 ? WAIT_BUCKETS_MS.length : bucket;
    buckets[index] = (buckets[index] ?? 0) + 1;
    this.#sums[priority] += waitedMs;
    this.#served++;
    if (waitedMs <= PROMPT_MS) this.#prompt++;
  }

  get #efficiency(): number {
    return this.#served === 0 ? 1 : this.#prompt / this.#served;
  }

  statistics(state: PoolState): PoolStatistics {
    const waits = this.#histograms();
    return {
      ...state,
      acquired: byPriority((it) => waits[it].count),
      waits,
      timeouts: this.timeouts,
      refused: this.refused,
      opened: this.opened,
      openFailures: this.openFailures,
      closed: { ...this.closed },
      unfinishedTransactions: this.unfinishedTransactions,
      efficiency: this.#efficiency,
    };
  }

  #histograms(): Record<QueryPriority, WaitHistogram> {
    return byPriority((priority) => {
      const buckets = [...this.#waits[priority]];
      return { buckets, count: buckets.reduce((sum, it) => sum + it, 0), sumMs: this.#sums[priority] };
    });
  }
}

export function byPriority<T>(of: (priority: QueryPriority) => T): Record<QueryPriority, T> {
  return { high: of('high'), normal: of('normal'), low: of('low') };
}
