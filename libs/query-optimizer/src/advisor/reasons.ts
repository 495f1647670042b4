import { type EstimateSource, type ServedStatement, type WriteCost } from './advice.js';
import { type Candidate } from './candidate.js';

/** Why this index, in sentences. */
export function reasonsFor(
  candidate: Candidate,
  serves: readonly ServedStatement[],
  source: EstimateSource,
  writeCost: WriteCost,
): readonly string[] {
  const best = serves.toSorted((a, b) => a.after / a.before - b.after / b.before)[0];
  const reasons = [
    best === undefined
      ? 'It serves no statement by itself.'
      : `It serves ${serves.length} statement${serves.length === 1 ? '' : 's'}; the cost of ${best.statement} falls from ${figure(best.before)} to ${figure(best.after)}.`,
    PROOFS[source],
  ];
  const shape = shapeOf(candidate);
  if (shape !== null) reasons.push(shape);
  if (writeCost.entries > 0)
    reasons.push(
      `The workload's writes make ${figure(writeCost.entries)} entries in it, of some ${writeCost.walBytesPerEntry} bytes of WAL each.`,
    );
  if (writeCost.lostHotUpdates > 0)
    reasons.push(`${figure(writeCost.lostHotUpdates)} updates of the workload are no longer HOT with it.`);
  return reasons;
}

const PROOFS: Readonly<Record<EstimateSource, string>> = {
  hypopg: 'The planner chooses it, as a hypothetical index beside all others that are recommended.',
  'sample-clone':
    'The planner chooses it, built on a copy of the table beside all others that are recommended.',
  built: 'Measured with the index in its place.',
};

function shapeOf({ method, predicate, included, keys, table }: Candidate): string | null {
  if (table.kind === 'p') return 'On the parent, so that every partition has it, those to come as well.';
  if (method === 'gin') return 'GIN finds words, patterns and elements inside of values.';
  if (method === 'brin') return 'The rows lie in the order of the column: a few bytes for each block do.';
  if (predicate !== null) return `Partial: it holds only rows with ${predicate}.`;
  if (keys.some((it) => it.isExpression)) return 'The statements compare the expression, not the column.';
  return included.length > 0 ? 'With the included columns the table itself need not be read.' : null;
}

function figure(value: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: value < 100 ? 1 : 0 });
}
