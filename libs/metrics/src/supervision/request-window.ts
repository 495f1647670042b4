import { LATENCY_BUCKETS_SECONDS } from '../http/buckets.js';
import { type RequestTotals } from '../http/http-instruments.js';

/** Requests of the last minutes. */
export interface RecentRequests {
  /** Seconds that the figures cover; grows to five minutes after start. */
  readonly windowSeconds: number;
  readonly count: number;
  /** Share of 5xx answers, 0 to 1; 0 without requests. */
  readonly errorRate: number;
  /** Milliseconds, estimated within the histogram's bucket; null without requests. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

const STEP_MS = 60_000;
const STEPS = 5;

interface Mark {
  readonly atMs: number;
  readonly totals: RequestTotals;
}

/**
 * Figures over a sliding window instead of since start, so that they recover when the cause is gone. Once a minute it
 * keeps a copy of the totals; the window is what came since the oldest of five copies.
 */
export class RequestWindow {
  readonly #read: () => RequestTotals;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  readonly #marks: Mark[];

  /**
   * @param read the totals since start
   * @param now milliseconds on a monotonic clock
   */
  constructor(read: () => RequestTotals, now: () => number) {
    this.#read = read;
    this.#now = now;
    this.#marks = [this.#mark()];
    this.#timer = setInterval(() => this.advance(), STEP_MS).unref();
  }

  /** Ends a step; the timer calls it. */
  advance(): void {
    this.#marks.push(this.#mark());
    if (this.#marks.length > STEPS) this.#marks.shift();
  }

  read(): RecentRequests {
    const { atMs, totals } = this.#mark();
    const from = this.#marks[0] as Mark;
    const buckets = totals.buckets.map((it, i) => it - (from.totals.buckets[i] as number));
    const count = totals.count - from.totals.count;
    return {
      windowSeconds: (atMs - from.atMs) / 1_000,
      count,
      errorRate: count === 0 ? 0 : (totals.serverErrors - from.totals.serverErrors) / count,
      p50Ms: quantileMs(buckets, 0.5),
      p95Ms: quantileMs(buckets, 0.95),
      p99Ms: quantileMs(buckets, 0.99),
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #mark(): Mark {
    return { atMs: this.#now(), totals: this.#read() };
  }
}

/**
 * The same estimate as Prometheus' `histogram_quantile`: linear within the bucket, the highest bound above it.
 *
 * @param buckets not cumulative; the last one counts above the highest bound
 * @param boundsSeconds upper bounds of all buckets but the last
 */
export function quantileMs(
  buckets: ArrayLike<number>,
  q: number,
  boundsSeconds: readonly number[] = LATENCY_BUCKETS_SECONDS,
): number | null {
  const counts = Array.from(buckets);
  const count = counts.reduce((sum, it) => sum + it, 0);
  if (count === 0) return null;
  const rank = q * count;
  let below = 0;
  for (let i = 0; i < boundsSeconds.length; i++) {
    const inBucket = counts[i] as number;
    const upper = boundsSeconds[i] as number;
    const lower = boundsSeconds[i - 1] ?? 0;
    if (below + inBucket >= rank && inBucket > 0) {
      return (lower + ((upper - lower) * (rank - below)) / inBucket) * 1_000;
    }
    below += inBucket;
  }
  return (boundsSeconds.at(-1) as number) * 1_000;
}
