import { type WorkloadStatement } from '../advisor/advice.js';
import { type IndexPlan } from './index-plan.js';
import { type StatementReplay, type Timing, type TrialMeasurement } from './statement-replay.js';
import {
  changeText,
  gainIn,
  isMeasured,
  judge,
  type Measured,
  NOISE_MS,
  regressionsIn,
  savedMs,
  type Verdict,
  type VerdictLimits,
} from './verdict.js';

/** An index of the set, built. */
export interface SetMember {
  readonly plan: IndexPlan;
  /** Those that it was recommended for. */
  readonly statements: readonly WorkloadStatement[];
  /** Names of the index, and of its parts on partitions. */
  readonly names: ReadonlySet<string>;
}

export interface MemberVerdict extends Verdict {
  /** Of the statements whose plan uses it, or of those that it was recommended for. */
  readonly measurements: readonly TrialMeasurement[];
}

/** What is asked of a {@link StatementReplay}. */
export type Stopwatch = Pick<StatementReplay, 'time' | 'indexesOf'>;

/** The indexes themselves. */
export interface SetIndexes {
  /** The next measurement is without it. */
  drop(member: SetMember): Promise<void>;
  /** Builds it again, after a drop that turned out to be wrong. @returns why it could not be; null: it is back */
  restore(member: SetMember): Promise<string | null>;
}

/** A removal by which the statements take longer by less than this part is no loss that a machine at work could show. */
const NOISE_PART = 0.05;

/** What is known of a statement with the indexes that are there now. */
interface Look {
  readonly measurement: TrialMeasurement;
  /** Indexes in its plan. */
  readonly used: ReadonlySet<string>;
}

/**
 * Judges indexes that were built together. Those of a join gain together or not at all, and halfway the planner may fall for a
 * plan that is worse than the first and the last: so all are built before anything is measured, and then those go that no plan
 * uses, that gain too little, or that lose more than they gain. What a removal does is measured as well: where it makes things
 * worse, the index is built again and stays. Never ends with more time, weighted by calls, than without any of them.
 */
export class SetTrial {
  readonly #members: Set<SetMember>;
  readonly #verdicts = new Map<SetMember, MemberVerdict>();
  readonly #looks = new Map<WorkloadStatement, Look>();
  /** Without these it was worse: that was measured. */
  readonly #proven = new Set<SetMember>();

  private constructor(
    members: readonly SetMember[],
    private readonly replay: Stopwatch,
    private readonly limits: VerdictLimits,
    private readonly indexes: SetIndexes,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.#members = new Set(members);
  }

  /**
   * @param before measurements without any of them, of all statements that may be named
   * @throws the signal's reason, between two measurements
   */
  static async judge(
    members: readonly SetMember[],
    before: ReadonlyMap<WorkloadStatement, TrialMeasurement>,
    replay: Stopwatch,
    limits: VerdictLimits,
    indexes: SetIndexes,
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<SetMember, MemberVerdict>> {
    const trial = new SetTrial(members, replay, limits, indexes, signal);
    for (const [it, measurement] of before) trial.#looks.set(it, { measurement, used: new Set() });
    await trial.#measure([...before.keys()]);
    while ((await trial.#endIdleness()) || (await trial.#endSlowdown()) || (await trial.#endLoss()));
    for (const it of trial.#members) trial.#verdicts.set(it, trial.#verdictOf(it));
    return trial.#verdicts;
  }

  /** With the indexes that are there now. */
  async #measure(statements: readonly WorkloadStatement[]): Promise<void> {
    for (const it of statements) {
      this.signal?.throwIfAborted();
      const known = this.#looks.get(it)?.measurement;
      if (known === undefined || known.beforeMs === null) continue;
      const used = await this.replay.indexesOf(it);
      this.#looks.set(it, { used, measurement: await this.#again(it, known) });
    }
  }

  /** What seems slower is measured once more: a machine that was busy for a moment must not cost an index. */
  async #again(statement: WorkloadStatement, known: TrialMeasurement): Promise<TrialMeasurement> {
    const first = withTiming(known, await this.replay.time(statement), Infinity);
    if (regressionsIn([first], this.limits.maxRegression).length === 0) return first;
    return withTiming(known, await this.replay.time(statement), first.afterMs ?? Infinity);
  }

  /** One goes that no plan uses, or that gains too little. False: there is none. */
  async #endIdleness(): Promise<boolean> {
    for (const it of this.#members) {
      const isKnown = it.statements.some((of) => this.#looks.get(of)?.measurement.afterMs != null);
      const isIdle = isKnown && this.#users(it).length === 0;
      const { keep, reason } = this.#verdictOf(it);
      if (keep && !isIdle) continue;
      await this.#tryWithout(it, isIdle ? 'Dropped: beside the other indexes no statement uses it' : reason);
      return true;
    }
    return false;
  }

  /**
   * Of a statement that became slower the index goes that gains least elsewhere: if nothing is lost with it, or if the slow-down
   * is beyond what is tolerated. False: there is none.
   */
  async #endSlowdown(): Promise<boolean> {
    for (const { statement, isTolerable, text } of this.#slowdowns()) {
      const suspects = this.#byGain().filter((it) => this.#isUsedBy(it, statement));
      const untried = suspects.filter((it) => !this.#proven.has(it));
      const culprit = isTolerable
        ? untried.find((it) => this.#certainGain(it) <= 0)
        : (untried[0] ?? suspects[0]);
      if (culprit === undefined) continue;
      const reason = `Dropped: ${text}, ${isTolerable ? 'and nothing is lost without it' : 'which is too much'}`;
      const isIntolerable = () =>
        this.#slowdowns().some((it) => it.statement === statement && !it.isTolerable);
      // Beyond what is tolerated it comes back if it was another one's fault, and one of them has to go in the end.
      await this.#tryWithout(culprit, reason, () => isTolerable || (untried.length > 0 && isIntolerable()));
      return true;
    }
    return false;
  }

  /** What two of them serve counts for both, so each may gain and all together lose: then one goes. False: they do not lose. */
  async #endLoss(): Promise<boolean> {
    const members = this.#byGain();
    const served = [...this.#looks.keys()].filter((it) => members.some((of) => this.#isUsedBy(of, it)));
    const untried = members.filter((it) => !this.#proven.has(it));
    const culprit = untried[0] ?? members[0];
    if (culprit === undefined || this.#savedMs(served) >= 0) return false;
    const reason = 'Dropped: with all of them the statements take longer together than without any';
    await this.#tryWithout(culprit, reason, () => untried.length > 0);
    return true;
  }

  /** Statements that are slower than before, the worst first. */
  #slowdowns() {
    const { maxRegression, toleratedRegression } = this.limits;
    const statements = new Map([...this.#looks].map(([statement, it]) => [it.measurement, statement]));
    const slower = regressionsIn([...statements.keys()], Math.min(maxRegression, toleratedRegression));
    return slower.map((it) => ({
      statement: statements.get(it),
      isTolerable: regressionsIn([it], toleratedRegression).length === 0,
      text: changeText(it),
    }));
  }

  /** Takes it away; and back, when that was a loss. @param mayComeBack asked after the measurement */
  async #tryWithout(member: SetMember, reason: string, mayComeBack = () => true): Promise<void> {
    const known = this.#users(member).flatMap((it): [WorkloadStatement, Look][] => {
      const look = this.#looks.get(it);
      return look ? [[it, look]] : [];
    });
    const { measurements } = this.#verdictOf(member);
    this.#verdicts.set(member, { keep: false, reason, measurements });
    this.#members.delete(member);
    await this.indexes.drop(member);
    await this.#measure(known.map(([it]) => it));
    const effect = known.map(([it, { measurement }]): TrialMeasurement => {
      return { ...measurement, beforeMs: this.#looks.get(it)?.measurement.afterMs ?? null };
    });
    if (!this.#isGain(effect.filter(isMeasured)) || !mayComeBack()) return;
    const problem = await this.indexes.restore(member);
    if (problem !== null) {
      const lost = `${reason}. Without it they take longer, but it could not be built again: ${problem}`;
      this.#verdicts.set(member, { keep: false, reason: lost, measurements });
      return;
    }
    this.#verdicts.delete(member);
    this.#members.add(member);
    this.#proven.add(member);
    for (const [it, look] of known) this.#looks.set(it, look);
  }

  /** @param effect without and with an index */
  #isGain(effect: readonly Measured[]): boolean {
    const isVisible = effect.some((it) => it.beforeMs - it.afterMs > NOISE_MS);
    return isVisible && gainIn(effect) > Math.max(this.limits.minGain, NOISE_PART);
  }

  #verdictOf(member: SetMember): MemberVerdict {
    const users = this.#users(member);
    const statements = users.length > 0 ? users : member.statements;
    const measurements = statements.flatMap((it) => this.#looks.get(it)?.measurement ?? []);
    // Which of the indexes in a plan is to blame is decided elsewhere.
    const verdict = judge(measurements, { ...this.limits, toleratedRegression: Infinity });
    if (verdict.keep || !this.#proven.has(member)) return { ...verdict, measurements };
    return { keep: true, reason: 'Kept: without it its statements take longer still', measurements };
  }

  #byGain(): readonly SetMember[] {
    const gains = new Map([...this.#members].map((it) => [it, this.#savedMs(this.#users(it))]));
    return [...this.#members].toSorted((a, b) => (gains.get(a) ?? 0) - (gains.get(b) ?? 0));
  }

  /** Its gains where no other index of the set has a part in it, and all losses. */
  #certainGain(member: SetMember): number {
    const others = [...this.#members].filter((it) => it !== member);
    const gains = this.#users(member).map((it) => {
      const isShared = others.some((other) => this.#isUsedBy(other, it));
      return isShared ? Math.min(0, this.#savedMs([it])) : this.#savedMs([it]);
    });
    return gains.reduce((sum, it) => sum + it, 0);
  }

  #savedMs(statements: readonly WorkloadStatement[]): number {
    const measured = statements.flatMap((it) => this.#looks.get(it)?.measurement ?? []).filter(isMeasured);
    return measured.reduce((sum, it) => sum + savedMs(it), 0);
  }

  #users(member: SetMember): readonly WorkloadStatement[] {
    return [...this.#looks.keys()].filter((it) => this.#isUsedBy(member, it));
  }

  #isUsedBy({ names }: SetMember, statement: WorkloadStatement | undefined): boolean {
    const look = statement === undefined ? undefined : this.#looks.get(statement);
    return look !== undefined && !names.isDisjointFrom(look.used);
  }
}

function withTiming(known: TrialMeasurement, timing: Timing, best: number): TrialMeasurement {
  return 'ms' in timing
    ? { ...known, afterMs: Math.min(best, timing.ms) }
    : { ...known, afterMs: null, problem: timing.problem };
}
