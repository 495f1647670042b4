import { type LedgerEntry } from '../index-builder/index-ledger.js';
import { type MetricFamily } from '../statistics/metric-families.js';
import { type AdaptiveRound, type RoundOutcome } from './adaptive-round.js';
import { type Spent } from './daily-budget.js';
import { type StoredRecommendation } from './stored-recommendation.js';

type Result = 'kept' | 'dropped' | 'failed' | 'reverted';

const ROUNDS = {
  name: 'db_index_rounds_total',
  help: 'Rounds of adaptive indexing, by how they ended',
  type: 'counter',
} as const;
const CHANGES = {
  name: 'db_index_changes_total',
  help: 'Indexes that this process built or reverted on advice, by what became of them',
  type: 'counter',
} as const;
const FAILED_LOOKS = {
  name: 'db_index_look_failures_total',
  help: 'Times that the recommendations could not be read for a report',
  type: 'counter',
} as const;
const RECOMMENDATIONS = {
  name: 'db_index_recommendations',
  help: 'Recommended indexes by state, as last seen',
  type: 'gauge',
} as const;

/** What this process did, and what it saw last of what all did. */
export class AdaptiveFigures {
  readonly #rounds = new Map<RoundOutcome, number>();
  readonly #results: Record<Result, number> = { kept: 0, dropped: 0, failed: 0, reverted: 0 };
  #failedLooks = 0;
  #states = new Map<string, number>();
  #spent: Spent | undefined;

  ended({ outcome, kept, dropped, failed, reverted }: AdaptiveRound): void {
    this.#rounds.set(outcome, (this.#rounds.get(outcome) ?? 0) + 1);
    this.#results.kept += kept.length;
    this.#results.dropped += dropped.length;
    this.#results.failed += failed.length;
    this.#results.reverted += reverted.length;
  }

  /** By a person. */
  changed({ status }: LedgerEntry): void {
    this.#results[status === 'building' ? 'failed' : status]++;
  }

  saw(recommendations: readonly StoredRecommendation[], spent: Spent): void {
    this.#states = new Map();
    for (const { state } of recommendations) this.#states.set(state, (this.#states.get(state) ?? 0) + 1);
    this.#spent = spent;
  }

  couldNotLook(): void {
    this.#failedLooks++;
  }

  collect(): MetricFamily[] {
    return [
      family(ROUNDS, 'outcome', [...this.#rounds]),
      family(CHANGES, 'result', Object.entries(this.#results)),
      { ...FAILED_LOOKS, samples: [{ value: this.#failedLooks }] },
      family(RECOMMENDATIONS, 'state', [...this.#states]),
      ...(this.#spent ? spentFamilies(this.#spent) : []),
    ];
  }
}

function spentFamilies({ indexes, bytes }: Spent): MetricFamily[] {
  return [
    {
      name: 'db_index_builds_of_day',
      help: 'Builds on advice of the last 24 hours, by all processes, as last seen',
      type: 'gauge',
      samples: [{ value: indexes }],
    },
    {
      name: 'db_index_bytes_of_day',
      help: 'Room of the indexes that were built on advice in the last 24 hours and stayed, as last seen',
      type: 'gauge',
      samples: [{ value: bytes }],
    },
  ];
}

function family(
  described: Omit<MetricFamily, 'samples'>,
  label: string,
  values: readonly (readonly [string, number])[],
): MetricFamily {
  return { ...described, samples: values.map(([it, value]) => ({ labels: { [label]: it }, value })) };
}
