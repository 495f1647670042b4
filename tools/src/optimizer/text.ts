import type { Advice, LedgerEntry, Recommendation } from '@peregrine/query-optimizer';
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

export function ledgerText(entries: readonly LedgerEntry[]): string {
  if (entries.length === 0) return 'The ledger is empty: no index was built on advice.';
  return entries
    .map((it) => {
      const measured = it.measurements.map((one) => {
        const { beforeMs, afterMs, problem } = one;
        const figures =
          beforeMs === null || afterMs === null
            ? (problem ?? 'not measured')
            : `${beforeMs.toFixed(2)} ms → ${afterMs.toFixed(2)} ms`;
        return `    ${one.statement}: ${figures}`;
      });
      const size = it.sizeBytes === null ? '' : `, ${megabytes(it.sizeBytes)}`;
      const built = it.buildMs === null ? '' : `, built in ${(it.buildMs / 1_000).toFixed(1)} s`;
      return [
        `${bold(`#${it.id} ${it.status}`)}  ${it.plan.indexName} on ${it.plan.table.schema}.${it.plan.table.name}${size}${built}`,
        `  ${it.decision ?? ''}`,
        ...measured,
      ].join('\n');
    })
    .join('\n\n');
}
