import { IndexTrials } from '../index-builder/index-trial.js';
import { type LedgerEntry } from '../index-builder/index-ledger.js';
import { type MetricFamily } from '../statistics/metric-families.js';
import {
  type AdaptiveIndexingOptions,
  type AdaptiveIndexingOptionsInput,
  type AdaptiveMode,
  parseAdaptiveIndexingOptions,
} from './adaptive-indexing.options.js';
import { type AdaptiveListener, type AdaptiveRound, type AdaptiveStatus } from './adaptive-round.js';
import { type RecommendationState, type StoredRecommendation } from './stored-recommendation.js';

/**
 * Finds indexes for what the database is asked, round after round, and with the mode `apply` builds, measures, keeps or drops
 * them within a budget. What it recommends and did stands in tables, so every process sees the same and a restart forgets
 * nothing. It drops only what stands in the ledger.
 */
export class AdaptiveIndexing {
  readonly #options: AdaptiveIndexingOptions;
  readonly #trials: IndexTrials;

  /** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
  constructor(input: AdaptiveIndexingOptionsInput) {
    this.#options = parseAdaptiveIndexingOptions(input);
    const { source, schema } = this.#options;
    this.#trials = new IndexTrials({ source, schema });
  }

  get mode(): AdaptiveMode {
    return this.#options.mode;
  }

  /**
   * Looks at the workload, recommends, watches what was kept, and builds if it may. One round at a time over all processes:
   * the others answer `busy`. Throws nothing that the database or its rights cause: the outcome says it.
   */
  runRound(_listener: AdaptiveListener = {}): Promise<AdaptiveRound> {
    return Promise.reject(new Error('not yet'));
  }

  /**
   * All that are known, open ones first, the most useful of a state first. Empty where no round ever ran.
   *
   * @throws the driver's error
   */
  recommendations(
    _filter: { readonly state?: RecommendationState } = {},
  ): Promise<readonly StoredRecommendation[]> {
    return Promise.resolve([]);
  }

  /** @throws {RecommendationError} `unknown` @throws the driver's error */
  recommendation(_id: string): Promise<StoredRecommendation> {
    return Promise.reject(new Error('not yet'));
  }

  /** The newest first, without those that were off or busy. @throws the driver's error */
  rounds(_limit = 20): Promise<readonly AdaptiveRound[]> {
    return Promise.resolve([]);
  }

  /**
   * Builds a recommendation that somebody has chosen, whatever the mode, hours and budget say: measures, keeps or drops. What
   * cannot be measured stays. A build that fails is an answer, not an error: the entry's status is `failed`.
   *
   * @throws {RecommendationError} `unknown`; `state` when it is kept already, or obsolete
   * @throws {IndexBuilderBusyError} a round or another apply is under way
   * @throws {InvalidIndexPlanError} somebody has changed the stored plan @throws the driver's error
   */
  apply(_id: string, _options: AdaptiveListener & { readonly actor?: string } = {}): Promise<LedgerEntry> {
    return Promise.reject(new Error('not yet'));
  }

  /**
   * Drops the index of a recommendation that was kept. Rounds do not build it again for `retryAfterDays`.
   *
   * @throws {RecommendationError} `unknown`; `state` when it is not kept
   * @throws {IndexBuildError} the index is another one by now, or could not be dropped
   * @throws {IndexBuilderBusyError} a round or an apply is under way @throws the driver's error
   */
  revert(_id: string, _options: { readonly actor?: string } = {}): Promise<LedgerEntry> {
    return Promise.reject(new Error('not yet'));
  }

  /** Every index that was built on advice, by rounds and by people, the newest first. @throws the driver's error */
  ledger(limit?: number): Promise<readonly LedgerEntry[]> {
    return this.#trials.ledger(limit);
  }

  /** @throws the driver's error */
  status(): Promise<AdaptiveStatus> {
    return Promise.reject(new Error('not yet'));
  }

  /** What this process saw last, for a report; waits for nothing. */
  latest(): readonly StoredRecommendation[] {
    return [];
  }

  /** Figures for a scrape; waits for nothing. */
  collect(): MetricFamily[] {
    return [];
  }
}
