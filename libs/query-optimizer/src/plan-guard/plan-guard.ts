import { Logger } from '@nestjs/common';
import { DatabaseError, type Client } from 'pg';
import { type Statement } from '../analysis/statement.js';
import { type OwnStatements } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';
import { settingsStatement } from '../pool/session-settings.js';
import { type PlanRegression } from '../slow-queries/plan-history.js';
import { type CapturedRun } from '../slow-queries/plan-sampler.js';
import { type QueryShaper, type TappedQuery, type TappedResult } from '../tap/query-observer.js';
import { ArmTrial, type TrialResult } from './arm-trial.js';
import { Pin, type PinnedPlan } from './pin.js';
import { type PlanGuardOptions } from './plan-guard.options.js';

export interface PlanGuardInput {
  readonly options: PlanGuardOptions;
  readonly own: OwnStatements;
  /** The pool's limit for a statement, milliseconds; 0 for none. */
  readonly statementTimeoutMs: number;
  /** It only reads, and nothing that it calls has effects. */
  isRepeatable(statement: Statement): boolean;
  /** Sends a statement that no observer sees. */
  unseen(client: Client, text: string, values?: readonly unknown[]): Promise<TappedResult>;
}

/** What was tried for a statement whose plan became worse, and came to nothing. */
export interface GuardDecision {
  readonly fingerprint: string;
  readonly sql: string;
  readonly at: Date;
  /** Null when no arm was taken at all. */
  readonly arm: string | null;
  readonly reason: string;
  readonly rejected: TrialResult['rejected'];
}

export interface PlanGuardReport {
  readonly enabled: boolean;
  readonly pinned: readonly PinnedPlan[];
  /** The latest first: pinned, given up, or not even tried. */
  readonly decisions: readonly GuardDecision[];
}

const QUERY_CANCELED = '57014';
const KEPT_DECISIONS = 20;
const REMEMBERED_TRIALS = 1_000;
const TRIAL_TIMEOUT_MS = 30_000;

/**
 * Gives a statement whose plan became worse other settings of the planner, for itself alone (`SET LOCAL`), while they
 * measure better. Its loss is capped: arms are tried in the background, a run that takes too long is given up and repeated
 * without them, and every so many runs one goes without, to compare.
 */
export class PlanGuard implements QueryShaper {
  readonly #logger = new Logger(PlanGuard.name);
  readonly #pins = new Map<string, Pin>();
  readonly #decisions: GuardDecision[] = [];
  readonly #triedAt = new Map<string, number>();
  #trying: Promise<void> = Promise.resolve();

  constructor(private readonly input: PlanGuardInput) {}

  get isActive(): boolean {
    return this.#pins.size > 0;
  }

  get pinnedCount(): number {
    return this.#pins.size;
  }

  isPinned(fingerprint: string): boolean {
    return this.#pins.has(fingerprint);
  }

  /** Resolves when no trial is under way. */
  async settled(): Promise<void> {
    await this.#trying;
  }

  report(): PlanGuardReport {
    return {
      enabled: this.input.options.enabled,
      pinned: [...this.#pins.values()].map((it) => it.toPinnedPlan()),
      decisions: [...this.#decisions],
    };
  }

  /** A plan became worse, and still is: looks for settings that help, one statement after the other. */
  regressed(regression: PlanRegression, run: CapturedRun): void {
    const { enabled, retryMs } = this.input.options;
    const { fingerprint } = regression;
    const isTooSoon = performance.now() - (this.#triedAt.get(fingerprint) ?? -Infinity) < retryMs;
    if (!enabled || isTooSoon || this.isPinned(fingerprint)) return;
    this.#remember(fingerprint);
    this.#trying = this.#trying.then(() => this.#try(regression, run));
  }

  shape(
    { statement, session }: TappedQuery,
    client: Client,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> | undefined {
    if (!statement) return undefined;
    const pin = this.#pins.get(statement.fingerprint);
    // Within a transaction, or with settings of its own, it is left alone.
    if (!pin || !session.isIdle || session.isAltered || !this.input.isRepeatable(statement)) return undefined;
    return pin.isControl(this.input.options.controlEvery)
      ? this.#timed(pin, true, send)
      : session.alone(() => this.#withArm(pin, client, send));
  }

  async #try({ fingerprint, sql }: PlanRegression, run: CapturedRun): Promise<void> {
    const { options, own } = this.input;
    const decide = (arm: string | null, reason: string, rejected: GuardDecision['rejected'] = []) =>
      this.#decide({ fingerprint, sql, at: new Date(), arm, reason, rejected });
    if (!this.input.isRepeatable(run.statement)) return decide(null, 'it may do more than read');
    if (this.#pins.size >= options.maxPinned) return decide(null, `${options.maxPinned} others are pinned`);
    try {
      const limits = { ...options, timeoutMs: TRIAL_TIMEOUT_MS };
      const { best, defaultMs, rejected } = await new ArmTrial(own, run, limits).run();
      if (!best) return decide(null, 'no arm is better by enough', rejected);
      const { arm, armMs } = best;
      this.#pins.set(fingerprint, new Pin(fingerprint, sql, arm, { defaultMs, armMs }));
      const gain = `${armMs.toFixed(1)} ms instead of ${defaultMs.toFixed(1)} ms`;
      this.#logger.log(`${fingerprint} runs with "${arm.name}": ${gain}`);
      decide(arm.name, `taken: ${gain}`, rejected);
    } catch (error) {
      decide(null, problemText(error));
    }
  }

  async #timed(pin: Pin, isControl: boolean, send: () => Promise<TappedResult>): Promise<TappedResult> {
    const startedAt = performance.now();
    const result = await send();
    const reason = pin.ran(performance.now() - startedAt, isControl);
    if (reason) this.#drop(pin, reason);
    return result;
  }

  async #withArm(pin: Pin, client: Client, send: () => Promise<TappedResult>): Promise<TappedResult> {
    const startedAt = performance.now();
    const capMs = this.#capMs(pin);
    try {
      return await this.#timed(pin, false, () => this.#inTransaction(pin, capMs, client, send));
    } catch (error) {
      // Cancelled before its time: by somebody who does not want the answer.
      const isCapped =
        error instanceof DatabaseError &&
        error.code === QUERY_CANCELED &&
        performance.now() - startedAt >= capMs;
      if (!isCapped) throw error;
      const reason = pin.struck();
      if (reason) this.#drop(pin, reason);
      return send();
    }
  }

  async #inTransaction(
    { arm }: Pin,
    capMs: number,
    client: Client,
    send: () => Promise<TappedResult>,
  ): Promise<TappedResult> {
    const settings = settingsStatement({ ...arm.settings, statement_timeout: capMs }, 'transaction');
    await this.input.unseen(client, 'BEGIN READ ONLY');
    try {
      if (settings) await this.input.unseen(client, settings.text, settings.values);
      const result = await send();
      await this.input.unseen(client, 'COMMIT');
      return result;
    } catch (error) {
      // On a lost connection there is nothing to roll back.
      await this.input.unseen(client, 'ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  #capMs(pin: Pin): number {
    const { statementTimeoutMs, options } = this.input;
    const capMs = pin.capMs(options.patienceMs);
    return statementTimeoutMs > 0 ? Math.min(capMs, statementTimeoutMs) : capMs;
  }

  #drop({ fingerprint, sql, arm }: Pin, reason: string): void {
    if (!this.#pins.delete(fingerprint)) return;
    this.#remember(fingerprint);
    this.#logger.log(`${fingerprint} runs without "${arm.name}" again: ${reason}`);
    this.#decide({
      fingerprint,
      sql,
      at: new Date(),
      arm: arm.name,
      reason: `dropped: ${reason}`,
      rejected: [],
    });
  }

  #remember(fingerprint: string): void {
    this.#triedAt.delete(fingerprint);
    this.#triedAt.set(fingerprint, performance.now());
    const [oldest] = this.#triedAt.keys();
    if (oldest !== undefined && this.#triedAt.size > REMEMBERED_TRIALS) this.#triedAt.delete(oldest);
  }

  #decide(decision: GuardDecision): void {
    this.#decisions.unshift(decision);
    this.#decisions.splice(KEPT_DECISIONS);
  }
}
