import { type WorkloadStatement } from '../advisor/advice.js';
import { tryAnalyse } from '../analysis/analyse.js';
import { type Statement } from '../analysis/statement.js';
import { type Ask } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';
import { historyTables } from '../slow-queries/history-tables.js';
import { readServerStatistics } from '../slow-queries/server-statistics.js';
import { type CapturedStatement } from '../slow-queries/slow-query.js';

/** A statement of the workload under its fingerprint. */
export interface WorkloadItem extends WorkloadStatement {
  readonly id: string;
  /** With `$n` in the place of constants. */
  readonly sql: string;
}

export interface FoundWorkload {
  /** Most time first. */
  readonly statements: readonly WorkloadItem[];
  /** Where they come from, for people. */
  readonly sources: readonly string[];
  readonly problems: readonly string[];
}

export interface WorkloadInput {
  /** Of the history of slow queries. */
  readonly schema: string;
  readonly evidence: { readonly minCalls: number; readonly minTotalMs: number; readonly days: number };
  readonly captured: readonly CapturedStatement[];
}

interface HistoryRow {
  readonly sql: string;
  readonly calls: number;
  readonly totalMs: number;
}

/** A text with what one source counted. */
interface Counted {
  readonly statement: Statement;
  readonly calls: number;
  readonly totalMs: number;
  readonly parameters?: readonly unknown[] | undefined;
}

/**
 * What the database is asked, as far as anything remembers it: what this process has captured (with the values of a call), the
 * history of all processes, pg_stat_statements for all programs. What one group was counted by two of them counts once.
 */
export async function readDatabaseWorkload(ask: Ask, input: WorkloadInput): Promise<FoundWorkload> {
  const problems: string[] = [];
  const captured = input.captured.flatMap(({ text, ...rest }) => counted(text, rest));
  const history = await readHistory(ask, input).catch((error: unknown) => {
    problems.push(`the history of slow queries: ${problemText(error)}`);
    return [];
  });
  const { statements, problem } = await readServerStatistics(ask);
  if (problem !== null) problems.push(`pg_stat_statements: ${problem}`);
  const server = statements.map(({ statement, figures: { calls, totalMs } }) => ({
    ...{ statement, calls, totalMs },
  }));
  const sources = [
    ['of this process', captured],
    ['of the history of slow queries', history],
    ['of pg_stat_statements', server],
  ] as const;
  const groups = new Map<string, WorkloadItem>();
  for (const it of [...captured, ...history, ...server]) merge(groups, it);
  return {
    statements: [...groups.values()]
      .filter((it) => isEvidence(it, input.evidence))
      .sort((a, b) => b.totalMs - a.totalMs || b.calls - a.calls),
    sources: sources.filter(([, { length }]) => length > 0).map(([name, it]) => `${it.length} ${name}`),
    problems,
  };
}

/** A statement that writes always counts: it is what an index costs. */
function isEvidence(item: WorkloadItem, { minCalls, minTotalMs }: WorkloadInput['evidence']): boolean {
  if (tryAnalyse(item.text)?.kind !== 'select') return true;
  return item.calls >= minCalls && item.totalMs >= minTotalMs;
}

async function readHistory(ask: Ask, { schema, evidence }: WorkloadInput): Promise<readonly Counted[]> {
  const { statements } = historyTables(schema);
  const [table] = await ask<{ found: string | null }>('SELECT to_regclass($1)::text AS found', [statements]);
  if (table?.found == null) return [];
  const rows = await ask<HistoryRow>(
    `SELECT min(sql) AS sql, sum(calls)::float8 AS calls, sum(total_ms) AS "totalMs"
       FROM ${statements} WHERE hour >= now() - make_interval(days => $1) GROUP BY fingerprint`,
    [evidence.days],
  );
  return rows.flatMap(({ sql, ...figures }) => counted(sql, figures));
}

function counted(text: string, figures: Omit<Counted, 'statement'>): Counted[] {
  const statement = tryAnalyse(text);
  return statement && !statement.syntaxError ? [{ statement, ...figures }] : [];
}

/** The text of the first that has one stays: those come first that know the values of a call. */
function merge(groups: Map<string, WorkloadItem>, { statement, calls, totalMs, parameters }: Counted): void {
  const { fingerprint, text, normalisedText } = statement;
  const known = groups.get(fingerprint);
  groups.set(fingerprint, {
    ...(known ?? { id: fingerprint, text, sql: normalisedText, ...(parameters && { parameters }) }),
    calls: Math.max(calls, known?.calls ?? 0),
    totalMs: Math.max(totalMs, known?.totalMs ?? 0),
  });
}
