import { DatabaseError } from 'pg';
import { type OwnStatements } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';
import { settingsStatement } from '../pool/session-settings.js';
import { type Plan, planFrom } from '../slow-queries/plan.js';
import { type CapturedRun } from '../slow-queries/plan-sampler.js';
import { type PlanArm } from './plan-guard.options.js';

export interface TrialLimits {
  readonly arms: readonly PlanArm[];
  /** For all of it. Milliseconds. */
  readonly trialMs: number;
  /** For one run. Milliseconds. */
  readonly timeoutMs: number;
  /** What an arm has to save of the time, 0 to 1. */
  readonly minGain: number;
}

export interface MeasuredArm {
  readonly arm: PlanArm;
  readonly armMs: number;
}

export interface TrialResult {
  /** Without other settings. Milliseconds. */
  readonly defaultMs: number;
  readonly best: MeasuredArm | null;
  /** What became of each arm that is not the best. */
  readonly rejected: readonly { readonly arm: string; readonly reason: string }[];
}

const QUERY_CANCELED = '57014';
/** They change how a plan is executed, not which. */
const OF_EXECUTION = /^(jit|work_mem|hash_mem_multiplier|max_parallel)/;
const NONE: PlanArm = { name: 'no other settings', settings: {} };
/** Beyond the best time, so that one as fast is not given up. */
const SPARE_MS = 10;

/**
 * Runs a statement that only reads with each of the arms, in read-only transactions of the library's own: nobody waits for
 * it, and an arm is given up as soon as it has taken as long as the best so far.
 */
export class ArmTrial {
  readonly #rejected: TrialResult['rejected'][number][] = [];
  readonly #seenPlans = new Set<string>();
  #defaultMs = Infinity;
  #best: MeasuredArm | null = null;

  constructor(
    private readonly own: OwnStatements,
    private readonly captured: CapturedRun,
    private readonly limits: TrialLimits,
  ) {}

  /** @throws the driver's error when the statement fails without other settings, too */
  async run(): Promise<TrialResult> {
    const endsAt = performance.now() + this.limits.trialMs;
    const { hash, ms } = await this.#measure(NONE, this.limits.timeoutMs);
    this.#seenPlans.add(hash);
    this.#defaultMs = ms;
    for (const arm of this.limits.arms) {
      const reason = performance.now() < endsAt ? await this.#try(arm) : 'the time for the trial was over';
      if (reason !== null) this.#rejected.push({ arm: arm.name, reason });
    }
    return { defaultMs: this.#defaultMs, best: this.#best, rejected: this.#rejected };
  }

  /** @returns why it is not the best so far; null when it is */
  async #try(arm: PlanArm): Promise<string | null> {
    try {
      if (!(await this.#isNew(arm))) return 'it has a plan that was measured already';
      const { ms } = await this.#measure(arm, Math.ceil(this.#best?.armMs ?? this.#defaultMs) + SPARE_MS);
      return this.#judge({ arm, armMs: ms });
    } catch (error) {
      const isSlow = error instanceof DatabaseError && error.code === QUERY_CANCELED;
      return isSlow ? 'it took longer' : problemText(error);
    }
  }

  #judge({ arm, armMs }: MeasuredArm): string | null {
    if (armMs > this.#defaultMs * (1 - this.limits.minGain))
      return `${armMs.toFixed(1)} ms instead of ${this.#defaultMs.toFixed(1)} ms`;
    if (this.#best && this.#best.armMs <= armMs) return `${this.#best.arm.name} is faster`;
    if (this.#best) this.#rejected.push({ arm: this.#best.arm.name, reason: `${arm.name} is faster` });
    this.#best = { arm, armMs };
    return null;
  }

  async #isNew(arm: PlanArm): Promise<boolean> {
    const { hash } = await this.#explain(arm, this.limits.timeoutMs, false);
    const isKnown = this.#seenPlans.has(hash);
    this.#seenPlans.add(hash);
    return !isKnown || Object.keys(arm.settings).some((it) => OF_EXECUTION.test(it));
  }

  /** The best of two. */
  async #measure(arm: PlanArm, timeoutMs: number): Promise<{ hash: string; ms: number }> {
    const first = await this.#explain(arm, timeoutMs, true);
    const second = await this.#explain(arm, timeoutMs, true);
    const ms = Math.min(first.executionMs ?? Infinity, second.executionMs ?? Infinity);
    return { hash: second.hash, ms };
  }

  #explain({ settings }: PlanArm, timeoutMs: number, analyse: boolean): Promise<Plan> {
    const { statement, parameters } = this.captured;
    const options = analyse ? 'ANALYZE, TIMING OFF, FORMAT JSON' : 'FORMAT JSON';
    return this.own.read({ timeoutMs }, async (ask) => {
      const arm = settingsStatement(settings, 'transaction');
      if (arm) await ask(arm.text, arm.values);
      return planFrom(await ask(`EXPLAIN (${options}) ${statement.text}`, parameters ?? []));
    });
  }
}
