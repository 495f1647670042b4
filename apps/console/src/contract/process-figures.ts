/** A process of the platform, on whatever machine, by what it wrote of itself last. */
export interface PlatformProcessFigures {
  readonly id: string;
  readonly role: 'api' | 'worker';
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly seenAt: string;
  /** It died: it is silent, and did not take its leave. */
  readonly isGone: boolean;
  /** Null: another version wrote them. */
  readonly figures: {
    readonly rssBytes: number;
    readonly memoryLimitBytes: number;
    readonly heapUsedBytes: number;
    readonly heapLimitBytes: number;
    readonly loopLagP99Ms: number;
    readonly poolInUse: number;
    readonly poolCapacity: number;
    /** Tasks that began in it since it started. */
    readonly tasksStarted: number;
  } | null;
}

export interface PlatformProcesses {
  /** Workers first, the oldest first. */
  readonly all: readonly PlatformProcessFigures[];
  /** Why they are old or missing; null when they are not. */
  readonly problem: string | null;
}

/** What was not spent. */
export interface SavingsFigures {
  /** Load time that hits of the cache have spared, estimated, milliseconds; of this process since its start. */
  readonly cacheMs: number;
  /** Results of models that nobody had to pay for, of this process since its start; null where there are no models. */
  readonly ai: { readonly usd: number; readonly results: number } | null;
}
