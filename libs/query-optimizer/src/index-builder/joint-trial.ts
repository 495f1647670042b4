import { type WorkloadStatement } from '../advisor/advice.js';
import { problemText } from '../execution/problem-text.js';
import { DistinctStatements } from './distinct-statements.js';
import { IndexBuildError } from './index-builder.errors.js';
import { type BuildListener } from './index-builder.js';
import { type IndexTrialOptions } from './index-builder.options.js';
import { type LedgerEntry } from './index-ledger.js';
import { type IndexPlan, placeOf } from './index-plan.js';
import { type Bench } from './index-trial.js';
import { type SetIndexes, type SetMember, SetTrial } from './set-trial.js';
import { pair, timeAll } from './statement-replay.js';
import { beginTrial } from './trial-entry.js';
import { tooLarge } from './verdict.js';

interface Candidate {
  readonly plan: IndexPlan;
  readonly statements: readonly WorkloadStatement[];
}

/** What holds for a set as a whole. */
export interface SetConditions {
  /** More statements, which none of the indexes may slow down beyond what others gain. */
  readonly watched?: readonly WorkloadStatement[];
  /** Of all that stay: one by which they become larger is dropped again. @default no limit */
  readonly maxBytes?: number;
  /** Asked before each build, with what is left of `maxBytes`; what it refuses has no entry. @default always */
  readonly mayBegin?: (plan: IndexPlan, bytesLeft: number) => boolean;
}

/** Builds all candidates, judges them beside each other, and writes the ledger. A killed run leaves entries to clear up. */
export async function tryTogether(
  candidates: readonly Candidate[],
  { watched = [], maxBytes = Infinity, mayBegin = () => true }: SetConditions,
  bench: Bench,
  options: IndexTrialOptions,
  listener: BuildListener,
): Promise<LedgerEntry[]> {
  const { ledger } = bench;
  const distinct = new DistinctStatements();
  const given = candidates.map(({ plan, statements }): Candidate => {
    return { plan, statements: statements.map((it) => distinct.of(it)) };
  });
  for (const it of watched) distinct.of(it);
  const before = await measureBefore(distinct.all(), bench);
  const ids: string[] = [];
  const built = new Map<SetMember, string>();
  let bytesLeft = maxBytes;
  for (const candidate of given) {
    if (listener.signal?.aborted) break;
    if (!mayBegin(candidate.plan, bytesLeft)) continue;
    const { id, isSettled } = await beginTrial(candidate.plan, bench, options.actor);
    ids.push(id);
    const made = isSettled ? null : await buildMember(candidate, id, bytesLeft, bench, listener);
    if (made === null) continue;
    built.set(made.member, id);
    bytesLeft -= made.sizeBytes;
  }
  await judgeBuilt(built, before, bench, options, listener);
  const entries: LedgerEntry[] = [];
  for (const it of ids) entries.push(await ledger.entry(it));
  return entries;
}

/** Every statement once, with its time without any of the indexes. */
async function measureBefore(statements: readonly WorkloadStatement[], { replay }: Bench) {
  const timings = await timeAll(replay, statements);
  const measured = pair(statements, timings, timings);
  return new Map(
    statements.flatMap((it, i) => (measured[i] === undefined ? [] : [[it, measured[i]] as const])),
  );
}

/** Null when it failed, or is too large: the ledger says why. */
async function buildMember(
  { plan, statements }: Candidate,
  id: string,
  maxBytes: number,
  { builder, ledger, client }: Bench,
  listener: BuildListener,
): Promise<{ readonly member: SetMember; readonly sizeBytes: number } | null> {
  try {
    for (const statement of plan.prerequisites) await client.query(statement);
    const built = await builder.build(plan, listener);
    const { definition, sizeBytes, buildMs } = built;
    if (sizeBytes > maxBytes) {
      await builder.drop(placeOf(plan, 'plain'), plan.isPartitioned);
      const decision = tooLarge(sizeBytes, maxBytes);
      await ledger.end(id, { status: 'dropped', decision, definition, sizeBytes, buildMs });
      return null;
    }
    const decision = 'Built; it is measured when all are there';
    await ledger.end(id, { status: 'building', decision, definition, sizeBytes, buildMs });
    return { member: { plan, statements, names: await builder.namesOf(plan) }, sizeBytes };
  } catch (error) {
    // What could not be dropped is left to the next run, which looks for what is not finished.
    const isLeft = error instanceof IndexBuildError && error.details.leftover !== undefined;
    await ledger.end(id, { status: isLeft ? 'building' : 'failed', decision: problemText(error) });
    return null;
  }
}

/** What the ledger says at the end is what is there; an index that nobody has measured does not stay. */
async function judgeBuilt(
  built: ReadonlyMap<SetMember, string>,
  before: Awaited<ReturnType<typeof measureBefore>>,
  bench: Bench,
  options: IndexTrialOptions,
  listener: BuildListener,
): Promise<void> {
  const { signal } = listener;
  const indexes = indexesOf(bench, listener);
  try {
    signal?.throwIfAborted();
    const verdicts = await SetTrial.judge([...built.keys()], before, bench.replay, options, indexes, signal);
    for (const [member, { keep, reason, measurements }] of verdicts) {
      const status = keep ? 'kept' : 'dropped';
      await bench.ledger.end(built.get(member) ?? '', { status, decision: reason, measurements });
    }
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    for (const [{ plan }, id] of built) {
      await bench.builder.dropAll(plan);
      const decision = 'Cancelled before it was measured, and dropped again';
      await bench.ledger.end(id, { status: 'failed', decision });
    }
  }
}

const indexesOf = ({ builder }: Bench, listener: BuildListener): SetIndexes => ({
  drop: ({ plan }) => builder.drop(placeOf(plan, 'plain'), plan.isPartitioned),
  restore: async ({ plan }) => {
    try {
      await builder.build(plan, listener);
      return null;
    } catch (error) {
      // Something half built that is left: the entry stays open, and the next run clears up.
      if (!(error instanceof IndexBuildError) || error.details.leftover !== undefined) throw error;
      return problemText(error);
    }
  },
});
