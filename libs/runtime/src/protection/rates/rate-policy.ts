/** What a bucket of tokens holds, and how fast it fills. */
export interface RatePolicy {
  /** In headers, metrics and the bucket's name; letters, digits and `-`. */
  readonly name: string;
  readonly ratePerSecond: number;
  /** Tokens that can be saved up. */
  readonly burst: number;
}

/** What became of one request. */
export interface RateDecision {
  readonly policy: RatePolicy;
  readonly allowed: boolean;
  /** Tokens that the caller has left, as far as this process knows. */
  readonly remaining: number;
  /** When to try again, milliseconds from now; 0 when allowed. */
  readonly retryAfterMs: number;
}
