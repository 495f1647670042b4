import type {
  AdaptiveStatus,
  Advice,
  LedgerEntry,
  Recommendation,
  StoredRecommendation,
} from '@peregrine/query-optimizer';
import { styleText } from 'node:util';

const MEBIBYTE = 1_048_576;
const WIDTH = 110;
/** So many rejected candidates are named; all of them are in the JSON. */
const REJECTED = 10;

export const bold = (text: string) => styleText('bold', text);
export const dim = (text: string) => styleText('dim', text);
export const megabytes = (bytes: number) => `${(bytes / MEBIBYTE).toFixed(1)} MB`;
const percent = (before: number, after: number) =>
  before === 0 ? '0 %' : `${Math.round((1 - after / before) * 100)} %`;

/** A statement on one line. */
export const oneLine = (sql: string, width = WIDTH): string => {
  const text = sql.replaceAll(/\s+/g, ' ').trim();
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
};

/** Columns as wide as their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((it, column) =>
    Math.max(it.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((it, column) =>
        /^[\d.,]+( \S+)?$/.test(it) ? it.padStart(widths[column] ?? 0) : it.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [dim(line(head)), ...rows.map(line)].join('\n');
}

export function adviceText(advice: Advice): string {
  const { recommendations, rejected, statisticsAdvice, skipped, regressions, validation } = advice;
  const before = advice.forecast.reduce((sum, it) => sum + it.before, 0);
  const after = advice.forecast.reduce((sum, it) => sum + it.after, 0);
  const parts = [
    recommendations.length === 0
      ? advice.forecast.length === 0
        ? 'No index is recommended: no statement could be looked at.'
        : 'No index is recommended: none would help enough.'
      : `${bold(`${recommendations.length} indexes`)}, ${megabytes(advice.sizeBytes)}: planner cost of all statements ` +
        `${before.toFixed(0)} → ${after.toFixed(0)} (${percent(before, after)} less), by ${validation.source}`,
    ...recommendations.map(recommendationText),
    ...statisticsAdvice.map((it) => `${bold('statistics')}  ${it.statement}\n  ${it.reason}`),
    ...(regressions.length > 0
      ? [
          `${bold('Dearer with them')}\n${regressions.map((it) => `  ${it.statement}: ${percent(it.before, it.after)}`).join('\n')}`,
        ]
      : []),
    ...(rejected.length > 0
      ? [
          `${bold(`${rejected.length} candidates were rejected`)}\n` +
            rejected
              .slice(0, REJECTED)
              .map((it) => `  ${oneLine(it.candidate)}\n    ${dim(`${it.code}: ${it.reason}`)}`)
              .join('\n') +
            (rejected.length > REJECTED
              ? `\n  ${dim(`and ${rejected.length - REJECTED} more, in --json`)}`
              : ''),
        ]
      : []),
    ...(skipped.length > 0
      ? [`${bold('Not looked at')}\n${skipped.map((it) => `  ${it.statement}: ${it.reason}`).join('\n')}`]
      : []),
    ...validation.notes.map(dim),
  ];
  return parts.join('\n\n');
}

function recommendationText(it: Recommendation, index: number): string {
  const { improvement, serves } = it;
  const lines = [
    `${bold(`${index + 1}. ${it.statement}`)}`,
    `  ${percent(improvement.before, improvement.after)} less for ${serves.length} statements: ` +
      serves
        .slice(0, 3)
        .map(({ statement }) => statement)
        .join(', ') +
      (serves.length > 3 ? ', …' : ''),
    `  ${megabytes(it.sizeBytes)}, built in some ${(it.buildMsEstimate / 1_000).toFixed(1)} s`,
    ...it.reasons.map((reason) => `  ${reason}`),
  ];
  return lines.join('\n');
}

/** @param recommendations of adaptive indexing, which know the texts of statements and what became of an index later */
export function ledgerText(
  entries: readonly LedgerEntry[],
  recommendations: readonly StoredRecommendation[] = [],
): string {
  const texts = new Map(recommendations.flatMap((it) => it.serves).map((it) => [it.statement, it.sql]));
  const gone = new Map(
    recommendations.filter((it) => it.state === 'obsolete').map((it) => [it.ledgerId, it.decision]),
  );
  if (entries.length === 0) return 'The ledger is empty: no index was built on advice.';
  return entries
    .map((it) => {
      const measured = it.measurements.map((one) => {
        const { beforeMs, afterMs, problem } = one;
        const figures =
          beforeMs === null || afterMs === null
            ? (problem ?? 'not measured')
            : `${beforeMs.toFixed(2)} ms → ${afterMs.toFixed(2)} ms`;
        return `    ${oneLine(texts.get(one.statement) ?? one.statement)}: ${figures}`;
      });
      const size = it.sizeBytes === null ? '' : `, ${megabytes(it.sizeBytes)}`;
      const built = it.buildMs === null ? '' : `, built in ${(it.buildMs / 1_000).toFixed(1)} s`;
      return [
        `${bold(`#${it.id} ${it.status}`)}  ${it.plan.indexName} on ${it.plan.table.schema}.${it.plan.table.name}${size}${built}`,
        `  ${it.decision ?? ''} (${it.actor}, ${it.startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC)`,
        ...(gone.has(it.id) ? [`  Gone since: ${gone.get(it.id) ?? ''}`] : []),
        ...measured,
      ].join('\n');
    })
    .join('\n\n');
}

/** What rounds of adaptive indexing have left to do, and when there was one. */
export function adaptiveText(
  { lastRound, budget }: AdaptiveStatus,
  recommendations: readonly StoredRecommendation[],
): string {
  if (lastRound === null)
    return 'No round of adaptive indexing has run: the worker has them, by INDEX_ADVISOR_MODE.';
  const { mode, outcome, startedAt, statements, problems } = lastRound;
  const rows = recommendations
    .filter((it) => it.state === 'open' || it.state === 'failed' || it.revertProposal !== null)
    .map((it) => [it.state, megabytes(it.sizeBytes), it.statement, it.revertProposal ?? it.decision ?? '']);
  return [
    `The last round (${mode}) began ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC and ${ENDS[outcome] ?? outcome}; ` +
      `${statements} statements counted. In 24 hours ${budget.indexesUsed} builds, ${megabytes(budget.bytesUsed)}.`,
    rows.length === 0
      ? 'Nothing is left to do.'
      : table(['state', 'size', 'statement', 'why not yet, or why not any more'], rows),
    ...problems.map((it) => dim(`${it.part}: ${it.reason}`)),
  ].join('\n');
}

const ENDS: Readonly<Record<string, string>> = {
  running: 'is under way',
  completed: 'came to its end',
  cancelled: 'was cancelled',
};
