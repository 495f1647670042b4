/** All runs of statements that differ in constants only. */
export interface QueryRow {
  readonly fingerprint: string;
  readonly sql: string;
  readonly calls: number;
  readonly errors: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

/** The same query again and again within one request. */
export interface LoopFigures {
  readonly scope: string;
  readonly sql: string;
  readonly where: string;
  readonly count: number;
  readonly durationMs: number;
}

export interface QueriesFigures {
  readonly count: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  /** From which time on a query counts as slow, milliseconds. */
  readonly slowMs: number;
  /** Slow ones by their p95, the slowest first. */
  readonly slow: readonly QueryRow[];
  /** The most time in all first. */
  readonly top: readonly QueryRow[];
  readonly loops: readonly LoopFigures[];
}
