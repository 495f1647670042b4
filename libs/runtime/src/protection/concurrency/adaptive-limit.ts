/** What {@link AdaptiveLimit} works by. */
export interface AdaptiveLimitOptions {
  /** The limit never falls below. */
  readonly min: number;
  /** Where it begins, and the most it can be. */
  readonly max: number;
}

/** A request of this time or less is never a sign of congestion, milliseconds. */
const FINE_MS = 50;
/** Latencies up to so many times the usual are usual. */
const TOLERANCE = 2;
const LOWEST_GRADIENT = 0.5;
/** How much of a change one window makes: down faster than up. */
const SMOOTHING_DOWN = 0.4;
const SMOOTHING_UP = 0.2;
/** A window ends when it has lasted so long and has so many samples. */
const WINDOW_MS = 200;
const WINDOW_SAMPLES = 10;
/** How much one sample moves the usual latency of its kind. */
const LEARNING = 1 / 100;
const MAX_KINDS = 500;

/**
 * How many requests a process should have at once, learned from how long they take. A form of Gradient2 (Netflix,
 * concurrency-limits, com.netflix.concurrency.limits.limit.Gradient2Limit): the limit is multiplied by how much longer
 * than usual requests took, and may grow by its root. It differs in three things. Latencies are compared within a kind of
 * request, such as a route, so that another mix is no congestion. What is usual is learned among at most `min` requests at
 * once, and only then: so a lasting overload does not become usual, and a service that became slower for good does,
 * once the limit has fallen to `min`. Latencies below 50 ms are always fine. Without load the limit goes back to `max`.
 */
export class AdaptiveLimit {
  readonly #min: number;
  readonly #max: number;
  #limit: number;
  /** The usual latency by kind. */
  readonly #usual = new Map<string, { ms: number }>();
  #windowStart: number;
  #samples = 0;
  #gradients = 0;
  #mostInFlight = 0;
  #leastMs = Infinity;

  constructor(
    { min, max }: AdaptiveLimitOptions,
    private readonly now: () => number,
  ) {
    this.#min = min;
    this.#max = max;
    this.#limit = max;
    this.#windowStart = now();
  }

  /** Requests at once, a whole number. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** The shortest latency of the last window, milliseconds; 0 before there was one. */
  leastMs = 0;

  /**
   * A request has finished.
   *
   * @param kind what its latency is compared within; few of them
   * @param inFlight requests at once when it was admitted, itself included
   */
  sample(kind: string, durationMs: number, inFlight: number, nowMs = this.now()): void {
    this.#samples++;
    this.#gradients += gradientOf(this.#learn(kind, durationMs, inFlight <= this.#min), durationMs);
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    this.#leastMs = Math.min(this.#leastMs, durationMs);
    if (this.#samples >= WINDOW_SAMPLES && nowMs - this.#windowStart >= WINDOW_MS) this.#endWindow(nowMs);
  }

  /** @returns what was usual before */
  #learn(kind: string, durationMs: number, isAmongFew: boolean): number {
    const its = this.#usual.get(kind);
    if (!its) {
      if (this.#usual.size < MAX_KINDS) this.#usual.set(kind, { ms: durationMs });
      return durationMs;
    }
    const usual = its.ms;
    if (isAmongFew) its.ms += (durationMs - usual) * LEARNING;
    return usual;
  }

  #endWindow(nowMs: number): void {
    const gradient = this.#gradients / this.#samples;
    const headroom = Math.sqrt(this.#limit);
    const isUsed = this.#mostInFlight * 2 >= this.#limit;
    // A limit that nobody reaches says nothing by its latencies, but slow ones are no reason to raise it.
    const target = isUsed ? this.#limit * gradient + headroom : this.#limit + (gradient === 1 ? headroom : 0);
    const smoothing = target < this.#limit ? SMOOTHING_DOWN : SMOOTHING_UP;
    const next = this.#limit + (target - this.#limit) * smoothing;
    this.#limit = Math.min(this.#max, Math.max(this.#min, next));
    this.leastMs = this.#leastMs;
    this.#windowStart = nowMs;
    this.#samples = this.#gradients = this.#mostInFlight = 0;
    this.#leastMs = Infinity;
  }
}

/** 1 for what took as long as usual, down to {@link LOWEST_GRADIENT}. */
function gradientOf(usualMs: number, durationMs: number): number {
  if (durationMs <= FINE_MS) return 1;
  return Math.min(1, Math.max(LOWEST_GRADIENT, (TOLERANCE * usualMs) / durationMs));
}
