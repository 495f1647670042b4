import { formatRelationName } from '../analysis/relation-name.js';
import {
  type Advice,
  type Recommendation,
  type RejectedCandidate,
  type SkippedStatement,
  type StatementForecast,
  type StatisticsAdvice,
} from './advice.js';
import { type AdvisorSession } from './advisor-session.js';
import {
  type Candidate,
  definitionOf,
  describeCandidate,
  indexNameOf,
  keyText,
  quoteIdentifier,
} from './candidate.js';
import { type CandidatePool } from './candidate-pool.js';
import { type Target } from './index-set.js';
import { type Laboratory } from './laboratory.js';
import { type PlannedWorkload } from './planned-workload.js';
import { reasonsFor } from './reasons.js';
import { type Selected } from './selection.js';
import { type WriteModel } from './write-model.js';

export interface Findings {
  readonly session: AdvisorSession;
  readonly planned: PlannedWorkload;
  readonly pool: CandidatePool;
  readonly laboratory: Laboratory;
  readonly targets: readonly Target[];
  readonly writes: WriteModel;
  readonly selected: Selected;
  readonly statistics: readonly StatisticsAdvice[];
  /** {@link AdvisorOptions.maxRegression}. */
  readonly maxRegression: number;
  readonly skipped: readonly SkippedStatement[];
  /** As performance.now counts. */
  readonly start: number;
}

export function adviceOf(found: Findings): Advice {
  const { selected, targets, laboratory, session } = found;
  const recommendations = selected.indexes
    .map((it) => recommendationOf(it, found))
    .toSorted((a, b) => gain(b) - gain(a));
  const forecast = targets.map((it): StatementForecast => ({
    statement: it.id,
    before: it.subject.baseCost,
    after: selected.trials.get(it)?.cost ?? it.subject.baseCost,
  }));
  return {
    recommendations,
    rejected: rejectedOf(found),
    statisticsAdvice: found.statistics,
    skipped: found.skipped,
    forecast,
    regressions: forecast.filter((it) => it.after > it.before * (1 + found.maxRegression)),
    sizeBytes: recommendations.reduce((sum, it) => sum + it.sizeBytes, 0),
    validation: { source: laboratory.source, notes: notesOf(found) },
    elapsedMs: performance.now() - found.start,
    isComplete: isComplete(found),
    planCount: session.planCount,
  };
}

const gain = ({ improvement }: Recommendation): number => improvement.before - improvement.after;

function recommendationOf(candidate: Candidate, found: Findings): Recommendation {
  const { laboratory, writes, selected, targets, planned } = found;
  const users = targets.filter((it) => selected.trials.get(it)?.used.has(candidate) === true);
  const serves = users.map((it) => ({
    statement: it.id,
    before: it.subject.baseCost,
    after: selected.trials.get(it)?.cost ?? it.subject.baseCost,
  }));
  const calls = new Map(planned.statements.map((it) => [it.statement.id, it.statement.given]));
  const weighted = (side: 'before' | 'after') =>
    serves.reduce((sum, it) => sum + it[side] * Math.max(1, calls.get(it.statement)?.calls ?? 1), 0);
  const savedMs = serves.reduce(
    (sum, it) => sum + (calls.get(it.statement)?.totalMs ?? 0) * (1 - it.after / it.before),
    0,
  );
  const sizeBytes = laboratory.sizeBytes(candidate);
  const isPartitioned = candidate.table.kind === 'p';
  const indexName = indexNameOf(candidate);
  const { schema, name } = candidate.table;
  const writeCost = writes.costOf(candidate, sizeBytes);
  const source = laboratory.sourceOf(candidate);
  return {
    id: candidate.id,
    table: { schema, name },
    indexName,
    columns: candidate.keys.map((it) => it.sql),
    keys: candidate.keys.map(keyText),
    included: candidate.included,
    predicate: candidate.predicate,
    method: candidate.method,
    statement: `CREATE INDEX ${isPartitioned ? '' : 'CONCURRENTLY '}${quoteIdentifier(indexName)} ON ${formatRelationName(candidate.table)} ${definitionOf(candidate)}`,
    isPartitioned,
    prerequisites:
      candidate.extension === null ? [] : [`CREATE EXTENSION IF NOT EXISTS ${candidate.extension}`],
    improvement: { before: weighted('before'), after: weighted('after'), source, savedMs },
    sizeBytes,
    buildMsEstimate: laboratory.buildMs(candidate),
    writeCost,
    serves,
    reasons: reasonsFor(candidate, serves, source, writeCost),
  };
}

function rejectedOf({ pool, selected, laboratory }: Findings): readonly RejectedCandidate[] {
  const chosen = new Set(selected.indexes);
  const made = (it: Candidate, code: RejectedCandidate['code'], reason: string): RejectedCandidate => ({
    candidate: describeCandidate(it),
    table: { schema: it.table.schema, name: it.table.name },
    code,
    reason,
  });
  const tried = pool.candidates
    .filter((it) => !chosen.has(it))
    .map((it) => {
      const refusal = laboratory.refusal(it);
      if (refusal === null) return made(it, 'time', 'There was no time to build it on a copy of the table.');
      if (refusal !== undefined) return made(it, 'not-validated', `It could not be tried: ${refusal}`);
      const { code, reason } = selected.rejections.get(it) ?? {
        code: 'no-gain',
        reason: 'The planner prefers another index, or none.',
      };
      return made(it, code, reason);
    });
  return [...tried, ...[...pool.covered].map(([it, reason]) => made(it, 'covered', reason))];
}

function isComplete({ selected, pool, laboratory }: Findings): boolean {
  return selected.isComplete && pool.candidates.every((it) => laboratory.refusal(it) !== null);
}

function notesOf(found: Findings): readonly string[] {
  const notes = validationNotes(found);
  return isComplete(found)
    ? notes
    : [
        'The time limit cut the search short: there may be better, fewer or smaller indexes. Allow more with timeLimitMs.',
        ...notes,
      ];
}

function validationNotes({ laboratory, session }: Findings): readonly string[] {
  const notes = laboratory.clone.sampled.map(
    ([{ schema, name }, fraction]) =>
      `${schema}.${name} was tried on a sample of ${(fraction * 100).toFixed(1)} %; sizes and build times are extrapolated.`,
  );
  if (
    laboratory.source === 'sample-clone' &&
    session.isSuperuser === false &&
    session.serverVersion < 180_000
  )
    notes.push('Without superuser rights scans of an index alone are judged too dear on the copies.');
  return laboratory.source === 'hypopg'
    ? notes
    : ['HypoPG is not there: indexes were built on copies of the tables, and rolled back.', ...notes];
}
