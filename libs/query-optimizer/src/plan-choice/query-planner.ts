import { QueryPlannerInputError } from '../query-optimizer.errors.js';
import { type MetricFamily } from '../statistics/metric-families.js';
import { DriftWatch } from './drift-watch.js';
import { ExplorationBudget } from './exploration-budget.js';
import { ModelTrainer } from './model-trainer.js';
import { OutcomeRecorder } from './outcome-recorder.js';
import { PlanCache } from './plan-cache.js';
import { PlanChooser } from './plan-chooser.js';
import { PlanCounts } from './plan-counts.js';
import { type PlanDecision, type PlanOutcome, type PlanQuestion } from './plan-question.js';
import { plannerMetrics } from './planner-metrics.js';
import { type PlannerModel, toLatencyModel, toPlannerModel } from './planner-model.js';
import { type PlannerReport } from './planner-report.js';
import {
  type ParsedPlannerOptions,
  parsePlannerOptions,
  type QueryPlannerOptions,
} from './query-planner.options.js';
import { UsualTimes } from './usual-times.js';

/**
 * Learns which of several plans that give the same answer is the fastest for a query. It leaves the fallback only for a clear gain,
 * says when to give such a plan up, explores on a budget, and goes back to the fallback when queries or times are no longer what it has
 * learned from. A `MetricSource`: `name` and `collect()`.
 */
export class QueryPlanner<Plan extends string> {
  readonly #options: ParsedPlannerOptions<Plan>;
  readonly #cache: PlanCache;
  readonly #trainer: ModelTrainer;
  readonly #drift: DriftWatch;
  readonly #budget: ExplorationBudget;
  readonly #chooser: PlanChooser<Plan>;
  readonly #recorder: OutcomeRecorder;
  readonly #counts = new PlanCounts();

  /** @throws {QueryPlannerOptionsError} with every problem at once */
  constructor(input: QueryPlannerOptions<Plan>) {
    const options = parsePlannerOptions(input);
    const { plans, features, prior, now } = options;
    this.#options = options;
    this.#cache = new PlanCache(options.cacheEntries);
    this.#drift = new DriftWatch(plans.length, now);
    this.#budget = new ExplorationBudget(options.regretBudget, now);
    this.#trainer = new ModelTrainer({
      keepSamples: options.keepSamples,
      retrainEvery: options.retrainEvery,
      halfLife: options.halfLife,
      program: options.program,
      now,
      planCount: plans.length,
      width: features.length,
      guard: { minGain: options.minGain, minGainMs: options.minGainMs },
      prior: prior && toLatencyModel(prior, plans),
      onPromotion: () => {
        this.#drift.resume();
        this.#cache.clear('promotion');
      },
    });
    const parts = {
      cache: this.#cache,
      trainer: this.#trainer,
      drift: this.#drift,
      budget: this.#budget,
      usual: new UsualTimes(plans.length),
    };
    this.#chooser = new PlanChooser(options, parts);
    this.#recorder = new OutcomeRecorder(plans, now, parts);
  }

  /** As a source of metrics. */
  get name(): string {
    return this.#options.name;
  }

  /** Waits for nothing. @throws {QueryPlannerInputError} */
  decide(question: PlanQuestion<Plan>): PlanDecision<Plan> {
    const decision = this.#chooser.decide(question);
    this.#counts.add(decision.plan, decision.reason);
    return decision;
  }

  /**
   * Learns how a decision ended. Do not tell of one whose query failed for a reason of its own: that is no time of its plan.
   * @throws {QueryPlannerInputError}
   */
  record(decision: PlanDecision<Plan>, outcome: PlanOutcome): void {
    const { trace } = decision;
    const { durationMs } = outcome;
    if (!Number.isFinite(durationMs) || durationMs < 0)
      throw new QueryPlannerInputError(`a duration of ${durationMs} ms`);
    if (trace.isRecorded) throw new QueryPlannerInputError('a decision that was recorded before');
    trace.isRecorded = true;
    this.#recorder.record(decision, outcome);
  }

  /**
   * Forgets the plans that it remembers, but not what it has learned: after DDL or ANALYZE, or when another embedding model is used.
   * @param reason shown in the report and as a label of a metric: one of a few fixed texts
   */
  invalidate(reason: string): void {
    this.#cache.clear(reason);
  }

  report(): PlannerReport {
    return {
      decisions: this.#counts.report(),
      cache: this.#cache.report(),
      training: this.#trainer.report(),
      exploration: this.#budget.report(),
      ...this.#recorder.report(),
      drift: Object.fromEntries(
        this.#drift.report().map((it, plan) => [this.#options.plans[plan] ?? '', it]),
      ),
    };
  }

  /** Figures for a scrape; waits for nothing. */
  collect(): MetricFamily[] {
    return plannerMetrics(this.report());
  }

  /** Resolves when no training is under way. */
  async trained(): Promise<void> {
    await this.#trainer.trained();
  }

  /** What it has learned, as JSON: to be the prior of another planner. Some 40 KB a plan. */
  model(): PlannerModel {
    const { plans, features } = this.#options;
    return toPlannerModel(this.#trainer.model ?? [], plans, features);
  }

  /** Ends its thread. It goes on to decide, and does not learn any more. */
  async close(): Promise<void> {
    await this.#trainer.close();
  }
}
