import { predict } from './boosted-trees.js';
import { Calibration } from './calibration.js';
import { fastestPlan, isKnown } from './latency-model.js';
import { type ChooserParts } from './plan-chooser.js';
import { type DecisionTrace, type PlanDecision, type PlanOutcome } from './plan-question.js';
import { type PlannerReport } from './planner-report.js';
import { RegretHistory } from './regret-history.js';

/** A plan that was given up would have taken longer than its timeout: taken for twice as much, lest only survivors be learned from. */
const CENSORED_FACTOR = 2;
/** Clocks are no finer. Milliseconds. */
const SHORTEST_MS = 0.001;

/** Passes what a run took on to all that learn from it. */
export class OutcomeRecorder {
  readonly #regret: RegretHistory;
  readonly #calibrations: ReadonlyMap<string, Calibration>;

  constructor(
    plans: readonly string[],
    now: () => number,
    private readonly parts: ChooserParts,
  ) {
    this.#regret = new RegretHistory(now);
    this.#calibrations = new Map(plans.map((plan) => [plan, new Calibration()]));
  }

  record(decision: PlanDecision<string>, { durationMs, timedOut, missedFloor = false }: PlanOutcome): void {
    const { trace, timeoutMs = durationMs } = decision;
    const learnedMs = Math.max(timedOut ? CENSORED_FACTOR * timeoutMs : durationMs, SHORTEST_MS);
    this.#pay(trace, durationMs, timedOut);
    this.#remember(decision, durationMs);
    if (trace.plan === trace.entry.plan) this.parts.cache.ran(trace.entry, learnedMs, missedFloor);
    this.#watch(decision, Math.log(learnedMs));
    this.#learn(decision, Math.log(learnedMs));
  }

  report(): Pick<PlannerReport, 'regret' | 'calibration'> {
    return {
      regret: this.#regret.report(),
      calibration: Object.fromEntries(
        [...this.#calibrations].map(([plan, calibration]) => [plan, calibration.report()]),
      ),
    };
  }

  /** Given up, all of its time was for nothing. */
  #pay({ lease, fallbackMs }: DecisionTrace, durationMs: number, timedOut: boolean | undefined): void {
    const { budget } = this.parts;
    budget.add(durationMs);
    if (lease) budget.settle(lease, timedOut ? durationMs : Math.max(durationMs - fallbackMs, 0));
  }

  #remember({ trace, reason }: PlanDecision<string>, durationMs: number): void {
    const { entry, plan, question } = trace;
    this.parts.usual.add(plan, durationMs);
    this.#regret.add({
      ms: durationMs,
      fallbackMs: entry.predictedMs[question.fallback] ?? NaN,
      bestMs: entry.predictedMs[fastestPlan(entry.predictedMs)] ?? NaN,
      isExploration: reason === 'exploration',
    });
  }

  /** By this query's own features: what is remembered was predicted for another one of its kind. */
  #watch({ plan: name, trace: { plan, question } }: PlanDecision<string>, label: number): void {
    const { trainer, drift, cache } = this.parts;
    const latency = trainer.model?.[plan];
    if (!isKnown(latency, question.row)) return;
    const error = label - predict(latency.trees, question.row);
    this.#calibrations.get(name)?.add(error);
    const change = drift.observe(plan, error, latency.spread);
    if (!change) return;
    cache.clear('drift');
    trainer.changed(plan, change, latency.samples);
  }

  #learn({ trace: { plan, question }, propensity }: PlanDecision<string>, label: number): void {
    const { row: features, allowed, fallback } = question;
    this.parts.trainer.add(
      { features, plan, fallback, allowed, label, propensity },
      this.parts.drift.suspended !== 0,
    );
  }
}
