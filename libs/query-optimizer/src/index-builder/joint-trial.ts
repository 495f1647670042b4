import { type WorkloadStatement } from '../advisor/advice.js';
import { problemText } from '../execution/problem-text.js';
import { IndexBuildError } from './index-builder.errors.js';
import { type BuildListener } from './index-builder.js';
import { type IndexTrialOptions } from './index-builder.options.js';
import { type LedgerEntry } from './index-ledger.js';
import { type IndexPlan, placeOf } from './index-plan.js';
import { type Bench } from './index-trial.js';
import { measureBefore, type SetMember, SetTrial } from './set-trial.js';
import { beginTrial } from './trial-entry.js';

interface Candidate {
  readonly plan: IndexPlan;
  readonly statements: readonly WorkloadStatement[];
}

/** Builds all candidates, judges them beside each other, and writes the ledger. A killed run leaves entries to clear up. */
export async function tryTogether(
  candidates: readonly Candidate[],
  watched: readonly WorkloadStatement[],
  bench: Bench,
  options: IndexTrialOptions,
  listener: BuildListener,
): Promise<LedgerEntry[]> {
  const { ledger, builder, replay } = bench;
  const all = [...candidates.flatMap((it) => it.statements), ...watched];
  const before = await measureBefore(replay, all);
  const ids: string[] = [];
  const built = new Map<SetMember, string>();
  for (const candidate of candidates) {
    if (listener.signal?.aborted) break;
    const { id, isSettled } = await beginTrial(candidate.plan, bench, options.actor);
    ids.push(id);
    const member = isSettled ? null : await buildMember(candidate, id, bench, listener);
    if (member !== null) built.set(member, id);
  }
  const drop = (it: SetMember) => builder.drop(placeOf(it.plan, 'plain'), it.plan.isPartitioned);
  if (listener.signal?.aborted) await undo(built, bench);
  else {
    const verdicts = await SetTrial.judge([...built.keys()], before, replay, options, drop);
    for (const [member, { keep, reason, measurements }] of verdicts) {
      const status = keep ? 'kept' : 'dropped';
      await ledger.end(built.get(member) ?? '', { status, decision: reason, measurements });
    }
  }
  const entries: LedgerEntry[] = [];
  for (const it of ids) entries.push(await ledger.entry(it));
  return entries;
}

/** Null when it failed: the ledger says why. */
async function buildMember(
  { plan, statements }: Candidate,
  id: string,
  { builder, ledger, client }: Bench,
  listener: BuildListener,
): Promise<SetMember | null> {
  try {
    for (const statement of plan.prerequisites) await client.query(statement);
    const { definition, sizeBytes, buildMs } = await builder.build(plan, listener);
    const decision = 'Built; it is measured when all are there';
    await ledger.end(id, { status: 'building', decision, definition, sizeBytes, buildMs });
    return { plan, statements, names: await builder.namesOf(plan) };
  } catch (error) {
    // What could not be dropped is left to the next run, which looks for what is not finished.
    const isLeft = error instanceof IndexBuildError && error.details.leftover !== undefined;
    await ledger.end(id, { status: isLeft ? 'building' : 'failed', decision: problemText(error) });
    return null;
  }
}

/** An index nobody has measured does not stay. */
async function undo(built: ReadonlyMap<SetMember, string>, { builder, ledger }: Bench): Promise<void> {
  for (const [{ plan }, id] of built) {
    await builder.dropAll(plan);
    await ledger.end(id, {
      status: 'failed',
      decision: 'Cancelled before it was measured, and dropped again',
    });
  }
}
