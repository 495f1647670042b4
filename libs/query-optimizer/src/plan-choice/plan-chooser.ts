import { type DriftWatch } from './drift-watch.js';
import { type ExplorationBudget, type ExplorationLease } from './exploration-budget.js';
import { explorationShares } from './exploration.js';
import { bestPlan, isAllowed, isKnown, predictPlans } from './latency-model.js';
import { type ModelTrainer } from './model-trainer.js';
import { type PlanCache, type PlannedEntry, planKey } from './plan-cache.js';
import {
  type NumberedQuestion,
  type PlanDecision,
  type PlanQuestion,
  type PlanReason,
} from './plan-question.js';
import { type ParsedPlannerOptions } from './query-planner.options.js';
import { QuestionReader } from './question-reader.js';
import { type UsualTimes } from './usual-times.js';

/** A pause of the process is no reason to give a plan up. Milliseconds. */
const LEAST_TIMEOUT_MS = 10;

/** What a chooser goes by, and others keep. */
export interface ChooserParts {
  readonly cache: PlanCache;
  readonly trainer: ModelTrainer;
  readonly drift: DriftWatch;
  readonly budget: ExplorationBudget;
  readonly usual: UsualTimes;
}

interface Draw {
  readonly plan: number;
  readonly propensity: number;
  readonly lease?: ExplorationLease | undefined;
}

/** Chooses: by what is remembered, else by the model; and now and then another plan, to learn of it. */
export class PlanChooser<Plan extends string> {
  readonly #reader: QuestionReader<Plan>;
  readonly #plans: readonly Plan[];

  constructor(
    private readonly options: ParsedPlannerOptions<Plan>,
    private readonly parts: ChooserParts,
  ) {
    this.#plans = options.plans;
    this.#reader = new QuestionReader(options.plans, options.features);
  }

  /** @throws {QueryPlannerInputError} */
  decide(question: PlanQuestion<Plan>): PlanDecision<Plan> {
    const numbered = this.#reader.read(question);
    const { entry, cached } = this.#entryOf(question, numbered);
    const fallbackMs = this.#fallbackMs(entry, numbered);
    const timeoutMs = Math.max(Math.ceil(fallbackMs * this.options.timeoutFactor), LEAST_TIMEOUT_MS);
    const { plan, propensity, lease } = this.#draw(entry, numbered, timeoutMs);
    const isFallback = plan === numbered.fallback;
    return {
      plan: this.#plans[plan] ?? question.fallback,
      fallback: question.fallback,
      predictedMs: entry.predicted as PlanDecision<Plan>['predictedMs'],
      reason: plan === entry.plan ? entry.reason : 'exploration',
      cached,
      propensity,
      modelVersion: entry.modelVersion,
      timeoutMs: isFallback ? undefined : timeoutMs,
      trace: { question: numbered, plan, entry, fallbackMs, lease, isRecorded: false },
    };
  }

  #entryOf(
    question: PlanQuestion<Plan>,
    numbered: NumberedQuestion,
  ): { entry: PlannedEntry; cached: boolean } {
    const model = this.parts.trainer.model;
    const fallback = model?.[numbered.fallback];
    if (!model || !fallback) return { entry: this.#entry(numbered, 'untrained'), cached: false };
    if (!isKnown(fallback, numbered.row))
      return { entry: this.#entry(numbered, 'out-of-domain'), cached: false };
    const key = planKey(question, numbered);
    const known = this.parts.cache.get(key, ({ plan }) => isKnown(model[plan], numbered.row));
    if (known) return { entry: known, cached: true };
    const entry = this.#entry(numbered, 'fallback', key);
    this.parts.cache.set(key, entry);
    return { entry, cached: false };
  }

  #entry(question: NumberedQuestion, reason: PlanReason, key?: string): PlannedEntry {
    const { trainer } = this.parts;
    const { fallback, row, allowed } = question;
    const model = trainer.model ?? [];
    const predictedMs = new Float64Array(this.#plans.length);
    predictPlans(model, row, allowed, predictedMs);
    const chosen = reason === 'fallback' ? this.#choose(predictedMs, fallback) : fallback;
    return {
      key,
      plan: chosen,
      reason: chosen === fallback ? reason : 'gain',
      predictedMs,
      predicted: this.#named(predictedMs),
      modelVersion: trainer.version,
      shares: undefined,
      runs: 0,
      missed: 0,
      averageMs: 0,
    };
  }

  /** Never a suspended plan; and where the fallback is one, there is nothing to compare with. */
  #choose(predictedMs: Float64Array, fallback: number): number {
    const { suspended } = this.parts.drift;
    if (isAllowed(suspended, fallback)) return fallback;
    const known = predictedMs.map((ms, plan) => (isAllowed(suspended, plan) ? NaN : ms));
    return bestPlan(known, fallback, this.options);
  }

  /** Only where the worst that may come of it can be paid for, be it the fallback itself that is tried, which costs nothing. */
  #draw(entry: PlannedEntry, question: NumberedQuestion, worstMs: number): Draw {
    const { budget } = this.parts;
    if (entry.reason === 'out-of-domain' || !budget.canPay(worstMs))
      return { plan: entry.plan, propensity: 1 };
    entry.shares ??= this.#shares(entry, question);
    let rest = 1;
    let left = this.options.random();
    let picked = -1;
    for (let plan = 0; plan < entry.shares.length; plan++) {
      const share = entry.shares[plan] ?? 0;
      rest -= share;
      left -= share;
      if (left < 0 && picked < 0) picked = plan;
    }
    if (picked < 0) return { plan: entry.plan, propensity: rest };
    const lease = picked === question.fallback ? undefined : budget.reserve(worstMs);
    return { plan: picked, propensity: entry.shares[picked] ?? 0, lease };
  }

  #shares({ plan, predictedMs }: PlannedEntry, question: NumberedQuestion): Float64Array {
    return explorationShares(this.parts.trainer.model ?? [], question, plan, predictedMs, this.options);
  }

  #fallbackMs({ predictedMs }: PlannedEntry, { fallback }: NumberedQuestion): number {
    const predicted = predictedMs[fallback] ?? NaN;
    return Number.isNaN(predicted) ? this.parts.usual.of(fallback) : predicted;
  }

  #named(predictedMs: Float64Array): Readonly<Record<string, number>> {
    const named: Record<string, number> = {};
    this.#plans.forEach((plan, number) => {
      const ms = predictedMs[number] ?? NaN;
      if (!Number.isNaN(ms)) named[plan] = ms;
    });
    return Object.freeze(named);
  }
}
