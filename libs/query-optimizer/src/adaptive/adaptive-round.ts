import { type RejectedCandidate, type StatisticsAdvice } from '../advisor/advice.js';
import { type IndexBuildProgress } from '../index-builder/index-builder.js';
import { type AdaptiveMode } from './adaptive-indexing.options.js';

/**
 * `running`: it has not ended, or its process was killed, which the next round notices. `completed`: it came to its end, if with `problems`. `off`: the mode is off, nothing was done. `busy`: another process has a
 * round under way, or applies or reverts. `cancelled`: by the signal; what was decided until then stands. `failed`: it could not
 * begin, or broke off; `problems` say why.
 */
export type RoundOutcome = 'running' | 'completed' | 'off' | 'busy' | 'cancelled' | 'failed';

/** Something that a round could not do, and why. */
export interface RoundProblem {
  readonly part: 'tables' | 'workload' | 'advice' | 'watch' | 'build';
  readonly reason: string;
}

/** What a round looked at and did. */
export interface AdaptiveRound {
  /** Null when it left no trace: `off`, `busy`, or the tables could not be written. */
  readonly id: string | null;
  readonly mode: AdaptiveMode;
  readonly outcome: RoundOutcome;
  readonly startedAt: Date;
  /** Null while it runs, or when its process was killed. */
  readonly endedAt: Date | null;
  /** Statements that counted, and where they come from, for people. */
  readonly statements: number;
  readonly sources: readonly string[];
  /** Ids of what it recommends, the most useful first. */
  readonly recommended: readonly string[];
  /** Ids of what it built and kept, built and dropped, could not build, and reverted. */
  readonly kept: readonly string[];
  readonly dropped: readonly string[];
  readonly failed: readonly string[];
  readonly reverted: readonly string[];
  /** What the advisor looked at and does not recommend, with the reason. */
  readonly rejected: readonly RejectedCandidate[];
  readonly statisticsAdvice: readonly StatisticsAdvice[];
  readonly problems: readonly RoundProblem[];
}

/** How far a round, or an apply, is. */
export interface AdaptiveProgress {
  readonly phase: 'workload' | 'advice' | 'watch' | 'build';
  /** A sentence for people. */
  readonly text: string;
  /** Of a build that is under way. */
  readonly build?: IndexBuildProgress;
}

export interface AdaptiveListener {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: AdaptiveProgress) => void) | undefined;
}

export interface AdaptiveStatus {
  readonly mode: AdaptiveMode;
  /** By the hours in which rounds may build. */
  readonly mayBuildNow: boolean;
  /** When the hours open next, now when they are open; null when they never do. */
  readonly nextBuildAt: Date | null;
  /** Of the last 24 hours, by the ledger. */
  readonly budget: {
    readonly indexesPerDay: number;
    readonly bytesPerDay: number;
    readonly indexesUsed: number;
    readonly bytesUsed: number;
  };
  /** A round, an apply or a revert is under way in some process. */
  readonly isBusy: boolean;
  /** Null before the first. */
  readonly lastRound: AdaptiveRound | null;
  /** How many recommendations are in each state. */
  readonly recommendations: Readonly<Record<string, number>>;
}
