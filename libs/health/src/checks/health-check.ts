/** Default of `HealthCheck.timeoutMs`, milliseconds. */
export const DEFAULT_CHECK_TIMEOUT_MS = 2_000;

/** Default of `HealthCheck.intervalMs`, milliseconds. */
export const DEFAULT_CHECK_INTERVAL_MS = 5_000;

/** One dependency's probe. It belongs to readiness; liveness never looks at it. */
export interface HealthCheck {
  /** Key in the answer and label in the metrics: lower-case letters, digits, `-` and `_`. */
  readonly name: string;
  /**
   * `critical`: readiness answers 503 while the check is down. `degraded`: readiness stays 200 and says so.
   * A dependency that every replica shares and can live without is `degraded`, or all replicas leave at once.
   */
  readonly criticality: 'critical' | 'degraded';
  /** Longest time a run may take, milliseconds. @default 2000 */
  readonly timeoutMs?: number;
  /** Time between two runs in the background, milliseconds, spread by 10 % either way. @default 5000 */
  readonly intervalMs?: number;
  /**
   * Resolves when the dependency works, rejects with the reason when it does not.
   *
   * @param signal aborted after `timeoutMs` and when the application stops
   */
  check(signal: AbortSignal): Promise<void>;
}

/** The last result of one check. */
export interface CheckResult {
  readonly status: 'up' | 'down';
  /** Monotonic time at which the run ended, milliseconds. */
  readonly atMs: number;
  /** How long the run took, milliseconds. */
  readonly durationMs: number;
  /** Why the check is down; goes to the log and to operators, never into the answer of a probe. */
  readonly error?: unknown;
}
