/** How long the tasks of a class waited before their handler was called, in all processes that run. */
export interface ClassFigures {
  readonly priority: string;
  /** What the class promises, milliseconds. */
  readonly promisedMs: number;
  /** Since those processes started. */
  readonly started: number;
  /** Tasks that waited longer than the class promises. */
  readonly missed: number;
  /** Of the last five minutes. */
  readonly recent: {
    readonly started: number;
    readonly missed: number;
    /** Milliseconds; null when no task started. */
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
  };
}

/** Tasks that failed for good in the same way. */
export interface DeadLetterFigures {
  readonly fingerprint: string;
  readonly task: string;
  readonly error: string;
  readonly count: number;
  /** ISO 8601. */
  readonly firstFailedAt: string;
  readonly lastFailedAt: string;
}

export interface QueueFigures {
  /** Null while the queue's store does not answer. */
  readonly pending: number | null;
  readonly running: number | null;
  readonly deadLettered: number | null;
  readonly submitted: number;
  readonly completed: number;
  readonly failed: number;
  readonly retries: number;
  readonly batches: number;
  /** 0 to 1. */
  readonly successRate: number;
  readonly classes: readonly ClassFigures[];
  /** The largest first. */
  readonly deadLetters: readonly DeadLetterFigures[];
  /** Why the figures are old or missing; null when they are not. */
  readonly problem: string | null;
}
