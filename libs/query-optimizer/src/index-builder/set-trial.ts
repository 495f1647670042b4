import { type WorkloadStatement } from '../advisor/advice.js';
import { type IndexPlan } from './index-plan.js';
import {
  pair,
  type StatementReplay,
  timeAll,
  type Timing,
  type TrialMeasurement,
} from './statement-replay.js';
import { changeOf, judge, regressionsIn, type Verdict, type VerdictLimits } from './verdict.js';

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

/** Takes an index away: the next measurement is without it. */
export type Drop = (member: SetMember) => Promise<void>;

/**
 * Judges indexes that were built together. Those of a join gain together or not at all, and halfway the planner may fall for a
 * plan that is worse than the first and the last: so all are built before anything is measured, and then those go that no plan
 * uses, that gain too little, or that slow a statement down.
 */
export class SetTrial {
  readonly #members: Set<SetMember>;
  readonly #verdicts = new Map<SetMember, MemberVerdict>();
  readonly #measured = new Map<WorkloadStatement, TrialMeasurement>();
  readonly #used = new Map<WorkloadStatement, ReadonlySet<string>>();

  private constructor(
    members: readonly SetMember[],
    private readonly replay: Stopwatch,
    private readonly limits: VerdictLimits,
    private readonly drop: Drop,
  ) {
    this.#members = new Set(members);
  }

  /** @param before measurements without any of them, of all statements that may be named */
  static async judge(
    members: readonly SetMember[],
    before: readonly (readonly [WorkloadStatement, TrialMeasurement])[],
    replay: Stopwatch,
    limits: VerdictLimits,
    drop: Drop,
  ): Promise<ReadonlyMap<SetMember, MemberVerdict>> {
    const trial = new SetTrial(members, replay, limits, drop);
    for (const [statement, measurement] of before) trial.#measured.set(statement, measurement);
    await trial.#measure([...trial.#measured.keys()]);
    for (const it of members) await trial.#judge(it);
    while (await trial.#dropOneCulprit());
    for (const it of trial.#members) trial.#verdicts.set(it, trial.#verdictOf(it));
    return trial.#verdicts;
  }

  /** With the indexes that are there now. */
  async #measure(statements: readonly WorkloadStatement[]): Promise<void> {
    for (const it of statements) {
      const known = this.#measured.get(it);
      if (known === undefined || known.beforeMs === null) continue;
      this.#used.set(it, await this.replay.indexesOf(it));
      this.#measured.set(it, await this.#again(it, known));
    }
  }

  /** What seems slower is measured once more: a machine that was busy for a moment must not cost an index. */
  async #again(statement: WorkloadStatement, known: TrialMeasurement): Promise<TrialMeasurement> {
    const first = this.#with(known, await this.replay.time(statement), Infinity);
    if (regressionsIn([first], this.limits.maxRegression).length === 0) return first;
    return this.#with(known, await this.replay.time(statement), first.afterMs ?? Infinity);
  }

  #with(known: TrialMeasurement, timing: Timing, best: number) {
    return 'ms' in timing
      ? { ...known, afterMs: Math.min(best, timing.ms) }
      : { ...known, afterMs: null, problem: timing.problem };
  }

  async #judge(member: SetMember): Promise<void> {
    const isMeasured = member.statements.some((it) => this.#measured.get(it)?.afterMs != null);
    if (isMeasured && this.#users(member).length === 0) {
      const reason = 'Dropped: beside the other indexes no statement uses it';
      await this.#remove(member, { ...this.#verdictOf(member), keep: false, reason });
      return;
    }
    const verdict = this.#verdictOf(member, Infinity);
    if (!verdict.keep) await this.#remove(member, verdict);
  }

  /** Of a statement that became slower the index goes that gains least elsewhere. False: there is none. */
  async #dropOneCulprit(): Promise<boolean> {
    const slower = regressionsIn([...this.#measured.values()], this.limits.maxRegression);
    for (const one of slower.toSorted((a, b) => changeOf(b) - changeOf(a))) {
      const [statement] = [...this.#measured].find(([, it]) => it.statement === one.statement) ?? [];
      const used = statement === undefined ? undefined : this.#used.get(statement);
      const suspects = [...this.#members].filter(
        (it) => used !== undefined && !it.names.isDisjointFrom(used),
      );
      const [culprit] = suspects.toSorted((a, b) => this.#gain(a) - this.#gain(b));
      if (culprit === undefined) continue;
      const { keep, reason } = judge([one], this.limits);
      if (keep) continue;
      await this.#remove(culprit, { keep, reason, measurements: this.#measurementsOf(culprit) });
      return true;
    }
    return false;
  }

  async #remove(member: SetMember, verdict: MemberVerdict): Promise<void> {
    const users = this.#users(member);
    this.#verdicts.set(member, verdict);
    this.#members.delete(member);
    await this.drop(member);
    await this.#measure(users);
  }

  #verdictOf(member: SetMember, maxRegression = this.limits.maxRegression): MemberVerdict {
    const measurements = this.#measurementsOf(member);
    return { ...judge(measurements, { ...this.limits, maxRegression }), measurements };
  }

  #measurementsOf(member: SetMember): readonly TrialMeasurement[] {
    const users = this.#users(member);
    return (users.length > 0 ? users : member.statements).flatMap((it) => this.#measured.get(it) ?? []);
  }

  #users({ names }: SetMember): readonly WorkloadStatement[] {
    return [...this.#used].filter(([, used]) => !used.isDisjointFrom(names)).map(([statement]) => statement);
  }

  #gain(member: SetMember): number {
    return this.#measurementsOf(member).reduce(
      (sum, it) => sum + it.calls * ((it.beforeMs ?? 0) - (it.afterMs ?? 0)),
      0,
    );
  }
}

/** Every statement once, with its time without any of the indexes. */
export async function measureBefore(
  replay: StatementReplay,
  statements: readonly WorkloadStatement[],
): Promise<readonly (readonly [WorkloadStatement, TrialMeasurement])[]> {
  const once = [...new Set(statements)];
  const timings = await timeAll(replay, once);
  const measured = pair(once, timings, timings);
  return once.flatMap((it, i) => (measured[i] === undefined ? [] : [[it, measured[i]] as const]));
}
