import type { ActionsFigures } from './actions.js';
import type { CacheFigures } from './cache-figures.js';
import type { CdnFigures } from './cdn-figures.js';
import type { FlagFigures } from './flag-figures.js';
import type { IndexFigures } from './index-figures.js';
import type { PlatformProcesses, SavingsFigures } from './process-figures.js';
import type { QueriesFigures } from './query-figures.js';
import type { QueueFigures } from './queue-figures.js';
import type { RetrievalFigures } from './retrieval-figures.js';

/** How something is; `unknown`: nothing to judge by yet. */
export type Level = 'good' | 'unknown' | 'warning' | 'critical';

/** The pages of the console, as their addresses have them. */
export type Page =
  | 'overview'
  | 'queue'
  | 'cache'
  | 'flags'
  | 'queries'
  | 'retrieval'
  | 'cdn'
  | 'pool'
  | 'actions'
  | 'runbooks';

/** One judgement: what is so, why, and what to do about it. */
export interface Verdict {
  readonly level: Level;
  /** Where there is more about it. */
  readonly page: Page;
  readonly title: string;
  readonly why: string;
  /** Empty when there is nothing to do. */
  readonly todo: string;
  /** The runbook that says more, as `docs/runbooks` names its file without the ending; null when there is nothing to do. */
  readonly runbook: string | null;
}

/** Something that is used up to a bound. */
export interface Limit {
  readonly name: string;
  readonly used: number;
  readonly limit: number;
  readonly unit: 'bytes' | 'count' | 'ms';
  readonly level: Level;
  readonly page: Page;
}

/** Requests by time, the oldest step first; the last step is the one that runs. */
export interface RequestHistoryFigures {
  readonly stepSeconds: number;
  readonly perSecond: readonly number[];
  /** Answers with 5xx of a step. */
  readonly errors: readonly number[];
}

/** A route over the steps of the history. */
export interface RouteFigures {
  readonly method: string;
  readonly route: string;
  readonly requests: number;
  readonly perSecond: number;
  /** Share of 5xx, 0 to 1. */
  readonly errorRate: number;
  /** Milliseconds; null without requests. */
  readonly p95Ms: number | null;
  /** Requests of each step. */
  readonly steps: readonly number[];
}

/** This process. */
export interface ProcessFigures {
  readonly pid: number;
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly inFlight: number;
  /** Requests above the slow-request bound since the start. */
  readonly slow: number;
  readonly total: number;
  /** Requests that its limits refused since the start; null where it has none. */
  readonly refused: {
    /** With 429: too many of one key or address. */
    readonly byRate: number;
    /** With 503: too many at once. */
    readonly atOnce: number;
  } | null;
  /** Of the last minutes. */
  readonly recent: {
    readonly windowSeconds: number;
    readonly count: number;
    readonly errorRate: number;
    readonly p50Ms: number | null;
    readonly p95Ms: number | null;
    readonly p99Ms: number | null;
  };
  readonly eventLoop: {
    readonly lagMeanMs: number;
    readonly lagP99Ms: number;
    readonly utilization: number;
  };
  readonly memory: {
    readonly rssBytes: number;
    readonly limitBytes: number;
    readonly heapUsedBytes: number;
    readonly heapLimitBytes: number;
  };
}

/** Connections to PostgreSQL. */
export interface PoolFigures {
  readonly size: number;
  readonly idle: number;
  readonly inUse: number;
  readonly capacity: number;
  readonly waiting: Readonly<Record<string, number>>;
  readonly acquired: Readonly<Record<string, number>>;
  readonly timeouts: number;
  readonly refused: number;
  readonly leaks: number;
  readonly openFailures: number;
  /** Share of callers that had a connection within 10 ms, 0 to 1. */
  readonly efficiency: number;
}

/** Everything that the console shows, at one moment. */
export interface ConsoleSnapshot {
  /** ISO 8601. */
  readonly at: string;
  readonly actionsEnabled: boolean;
  /** Worst first; never empty. */
  readonly verdicts: readonly Verdict[];
  readonly limits: readonly Limit[];
  readonly history: RequestHistoryFigures;
  readonly routes: readonly RouteFigures[];
  readonly process: ProcessFigures;
  /** Checks of dependencies by name. */
  readonly health: Readonly<Record<string, 'up' | 'down'>>;
  readonly cache: CacheFigures;
  readonly queue: QueueFigures;
  readonly queries: QueriesFigures;
  readonly retrieval: RetrievalFigures;
  readonly cdn: CdnFigures;
  readonly pool: PoolFigures;
  readonly flags: readonly FlagFigures[];
  readonly indexes: IndexFigures;
  readonly processes: PlatformProcesses;
  readonly savings: SavingsFigures;
  readonly actions: ActionsFigures;
}
