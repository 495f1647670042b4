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

/** A kind of statement of which some runs are slow; of all processes, as far as the history knows. */
export interface SlowQueryRow {
  readonly fingerprint: string;
  readonly sql: string;
  /** `server`: other programs run it, known from pg_stat_statements. */
  readonly source: 'application' | 'server';
  readonly calls: number;
  readonly slowCalls: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly p95Ms: number | null;
  readonly maxMs: number;
  /** How many plans it has had. */
  readonly plans: number;
  /** It got another plan, and is slower with it. */
  readonly hasRegressed: boolean;
}

/** A plan as PostgreSQL explained it, without constants. */
export interface PlanFigures {
  readonly hash: string;
  /** A line for each node, indented by two blanks a level. */
  readonly outline: string;
  /** What each line costs by itself, in the unit of `totalCost`; null when that was not kept. */
  readonly nodeCosts: readonly number[] | null;
  readonly isGeneric: boolean;
  /** ISO 8601. */
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly samples: number;
  /** PostgreSQL's estimate, in its own unit. */
  readonly totalCost: number;
  /** Null: only estimates are known. */
  readonly meanMs: number | null;
  /** Blocks of 8 KiB. */
  readonly buffers: {
    readonly hitBlocks: number;
    readonly readBlocks: number;
    readonly tempWrittenBlocks: number;
  } | null;
}

/** One slow statement with all that is known of it. Asked for by itself. */
export interface QueryDetail extends Omit<SlowQueryRow, 'plans' | 'hasRegressed'> {
  readonly rows: number;
  readonly errors: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Why there is no plan, or only an estimate. */
  readonly planProblem: string | null;
  /** The latest last. */
  readonly plans: readonly PlanFigures[];
  readonly regression: {
    /** ISO 8601. */
    readonly since: string;
    readonly factor: number;
    readonly evidence: 'same parameters' | 'run times';
  } | null;
  /** The latest first. */
  readonly hours: readonly {
    /** ISO 8601. */
    readonly hour: string;
    readonly calls: number;
    readonly slowCalls: number;
    readonly meanMs: number;
    readonly maxMs: number;
  }[];
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
  /** The most time in all first. */
  readonly slow: readonly SlowQueryRow[];
  /** The most time in all first. */
  readonly top: readonly QueryRow[];
  readonly loops: readonly LoopFigures[];
}
