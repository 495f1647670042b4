import { loadAnalyser } from '../analysis/parser.js';
import { problemText } from '../execution/problem-text.js';
import { IndexBuilderBusyError } from '../index-builder/index-builder.errors.js';
import { type LedgerEntry } from '../index-builder/index-ledger.js';
import { type MetricFamily } from '../statistics/metric-families.js';
import { AdaptiveFigures } from './adaptive-figures.js';
import { RecommendationError } from './adaptive-indexing.errors.js';
import {
  type AdaptiveIndexingOptions,
  type AdaptiveIndexingOptionsInput,
  type AdaptiveMode,
  parseAdaptiveIndexingOptions,
} from './adaptive-indexing.options.js';
import { AdaptiveRecords } from './adaptive-records.js';
import {
  type AdaptiveListener,
  type AdaptiveRound,
  type AdaptiveStatus,
  type RoundOutcome,
} from './adaptive-round.js';
import { BuildHours } from './build-hours.js';
import { IndexRound } from './index-round.js';
import { QuietSource } from './quiet-source.js';
import { decisionBy } from './recommendation-sync.js';
import { measuredStatements, tryRecommendation } from './recommendation-trial.js';
import { RoundContext } from './round-context.js';
import { withRoundLock } from './round-session.js';
import { NOTHING_DONE } from './round-store.js';
import { type RecommendationState, type StoredRecommendation } from './stored-recommendation.js';

/** A person may have them built, or built again. */
const APPLICABLE: readonly RecommendationState[] = ['open', 'applied', 'dropped', 'reverted', 'failed'];
/** What a report shows is read again after this. */
const FRESH_MS = 30_000;
const PERSON = 'a person';

/**
 * Finds indexes for what the database is asked, round after round, and with the mode `apply` builds, measures, keeps or drops
 * them within a budget. What it recommends and did stands in tables, so every process sees the same and a restart forgets
 * nothing. It drops only what stands in the ledger.
 */
export class AdaptiveIndexing {
  readonly #options: AdaptiveIndexingOptions;
  readonly #records: AdaptiveRecords;
  readonly #figures = new AdaptiveFigures();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #latest: readonly StoredRecommendation[] = [];
  #readAt = -Infinity;

  /** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
  constructor(input: AdaptiveIndexingOptionsInput) {
    const parsed = parseAdaptiveIndexingOptions(input);
    this.#options = { ...parsed, source: new QuietSource(parsed.source) };
    const { buildHours, timeZone } = this.#options;
    this.#records = new AdaptiveRecords(this.#options, new BuildHours(buildHours, timeZone));
  }

  get mode(): AdaptiveMode {
    return this.#options.mode;
  }

  /**
   * Looks at the workload, recommends, watches what was kept, and builds if it may. One round at a time over all processes:
   * the others answer `busy`. Throws nothing that the database or its rights cause: the outcome says it.
   */
  async runRound(listener: AdaptiveListener = {}): Promise<AdaptiveRound> {
    const round = await this.#tracked(this.#runRound(this.#stoppable(listener)));
    this.#figures.ended(round);
    return round;
  }

  /**
   * All that are known, open ones first, the most useful of a state first. Empty where no round ever ran.
   *
   * @throws the driver's error
   */
  async recommendations({ state }: { readonly state?: RecommendationState } = {}): Promise<
    readonly StoredRecommendation[]
  > {
    const { all, spent } = await this.#records.recommendations();
    this.#latest = all;
    this.#figures.saw(all, spent);
    return state === undefined ? all : all.filter((it) => it.state === state);
  }

  /** @throws {RecommendationError} `unknown` @throws the driver's error */
  async recommendation(id: string): Promise<StoredRecommendation> {
    const found = (await this.recommendations()).find((it) => it.id === id);
    if (!found) throw new RecommendationError(id, 'unknown', 'does not exist');
    return found;
  }

  /** The newest first, without those that were off or busy. @throws the driver's error */
  rounds(limit = 20): Promise<readonly AdaptiveRound[]> {
    return this.#records.rounds(limit);
  }

  /**
   * Builds a recommendation that somebody has chosen, whatever the mode, hours and budget say: measures, keeps or drops. What
   * cannot be measured stays. A build that fails is an answer, not an error: the entry's status is `failed`.
   *
   * @throws {RecommendationError} `unknown`; `state` when it is kept already, or obsolete
   * @throws {IndexBuilderBusyError} a round or another apply is under way
   * @throws {InvalidIndexPlanError} somebody has changed the stored plan @throws the driver's error
   */
  apply(
    id: string,
    { actor = PERSON, ...listener }: AdaptiveListener & { readonly actor?: string } = {},
  ): Promise<LedgerEntry> {
    return this.#alone(this.#stoppable(listener), async (context) => {
      const found = await recommendationIn(context, id, APPLICABLE);
      const statements = await measuredStatements(context, found, this.#options.captured());
      return tryRecommendation(context, { recommendation: found, statements }, actor);
    });
  }

  /**
   * Drops the index of a recommendation that was kept. Rounds do not build it again for `retryAfterDays`.
   *
   * @throws {RecommendationError} `unknown`; `state` when it is not kept
   * @throws {IndexBuildError} the index is another one by now, or could not be dropped
   * @throws {IndexBuilderBusyError} a round or an apply is under way @throws the driver's error
   */
  revert(id: string, { actor = PERSON }: { readonly actor?: string } = {}): Promise<LedgerEntry> {
    return this.#alone({}, async (context) => {
      const { ledgerId } = await recommendationIn(context, id, ['kept']);
      const entry = await context.trials(actor, false).revert(ledgerId ?? '');
      await context.store.decide(id, decisionBy(entry));
      return entry;
    });
  }

  /** Every index that was built on advice, by rounds and by people, the newest first. @throws the driver's error */
  ledger(limit?: number): Promise<readonly LedgerEntry[]> {
    return this.#records.ledger(limit);
  }

  /** @throws the driver's error */
  status(): Promise<AdaptiveStatus> {
    return this.#records.status();
  }

  /** What this process saw last, for a report; waits for nothing, and has it read again when it is old. */
  latest(): readonly StoredRecommendation[] {
    const isDue = this.mode !== 'off' && performance.now() - this.#readAt > FRESH_MS;
    if (isDue && !this.#closing.signal.aborted) {
      this.#readAt = performance.now();
      void this.#tracked(this.recommendations()).catch(() => this.#figures.couldNotLook());
    }
    return this.#latest;
  }

  /** Figures for a scrape; waits for nothing. */
  collect(): MetricFamily[] {
    return this.#figures.collect();
  }

  /** Ends what is under way, a build as well; nothing half built is left. */
  async stop(): Promise<void> {
    this.#closing.abort(new Error('The query optimizer is closed'));
    await Promise.allSettled(this.#running);
  }

  async #runRound(listener: AdaptiveListener): Promise<AdaptiveRound> {
    const { mode, source, statementTimeoutMs } = this.#options;
    const round = { ...NOTHING_DONE, id: null, mode, startedAt: new Date() };
    const ended = (outcome: RoundOutcome, rest: Partial<AdaptiveRound> = {}): AdaptiveRound => {
      return { ...round, outcome, endedAt: new Date(), ...rest };
    };
    if (mode === 'off') return ended('off');
    try {
      const held = await withRoundLock(source, statementTimeoutMs, async (client) => {
        const context = new RoundContext(client, this.#options, listener);
        return ended(...(await runIn(context)));
      });
      if (held === null) return ended('busy');
      await this.recommendations();
      return held.result;
    } catch (error) {
      return ended('failed', { problems: [{ part: 'tables', reason: problemText(error) }] });
    }
  }

  /** @throws {IndexBuilderBusyError} and what the work throws */
  async #alone(
    listener: AdaptiveListener,
    work: (context: RoundContext) => Promise<LedgerEntry>,
  ): Promise<LedgerEntry> {
    const { source, statementTimeoutMs } = this.#options;
    await loadAnalyser();
    const held = await this.#tracked(
      withRoundLock(source, statementTimeoutMs, (client) =>
        work(new RoundContext(client, this.#options, listener)),
      ),
    );
    if (held === null) throw new IndexBuilderBusyError();
    this.#figures.changed(held.result);
    await this.recommendations();
    return held.result;
  }

  #stoppable({ signal, onProgress }: AdaptiveListener): AdaptiveListener {
    const closing = this.#closing.signal;
    return { signal: signal ? AbortSignal.any([signal, closing]) : closing, onProgress };
  }

  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }
}

/** The round itself, with what it leaves in its table. @throws when the tables can not be written */
async function runIn(context: RoundContext): Promise<[RoundOutcome, Partial<AdaptiveRound>]> {
  await context.install();
  const id = await context.rounds.begin(context.options);
  let outcome: RoundOutcome;
  try {
    outcome = await new IndexRound(context).run();
  } catch (error) {
    outcome = context.isAborted ? 'cancelled' : 'failed';
    if (!context.isAborted) context.problem('build', problemText(error));
  }
  try {
    await context.rounds.end(id, { ...context.found, outcome });
    await context.prune();
  } catch (error) {
    context.problem('tables', problemText(error));
  }
  return [outcome, { id, ...context.found }];
}

/** @throws {RecommendationError} */
async function recommendationIn(
  { store }: RoundContext,
  id: string,
  states: readonly RecommendationState[],
): Promise<StoredRecommendation> {
  const found = (await store.exists()) ? await store.find(id) : undefined;
  if (!found) throw new RecommendationError(id, 'unknown', 'does not exist');
  if (states.includes(found.state)) return found;
  throw new RecommendationError(id, 'state', `is ${found.state}: that cannot be asked of it`);
}
