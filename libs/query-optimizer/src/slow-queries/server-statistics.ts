import { tryAnalyse } from '../analysis/analyse.js';
import { formatRelationName } from '../analysis/relation-name.js';
import { type Statement, type StatementKind } from '../analysis/statement.js';
import { type Ask } from '../execution/own-statements.js';
import { problemText } from '../execution/problem-text.js';

/** What all programs together ran of one group of statements, by pg_stat_statements. */
export interface ServerFigures {
  readonly calls: number;
  readonly rows: number;
  readonly totalMs: number;
  readonly meanMs: number;
  readonly maxMs: number;
  /** Blocks of 8 KiB, of all calls together. */
  readonly hitBlocks: number;
  readonly readBlocks: number;
  readonly tempWrittenBlocks: number;
}

export interface ServerStatement {
  /** Its text has parameters where the programs had constants. */
  readonly statement: Statement;
  readonly figures: ServerFigures;
}

export interface ServerStatistics {
  /** Most time first. */
  readonly statements: readonly ServerStatement[];
  /** From when they count; null where the extension does not tell. */
  readonly since: Date | null;
  /** Why they are missing or not complete, and what to do; null when they are complete. */
  readonly problem: string | null;
}

interface ExtensionRow {
  readonly schema: string;
  readonly version: string;
}

interface FigureRow extends Omit<ServerFigures, 'meanMs'> {
  readonly query: string | null;
}

const MAX_STATEMENTS = 500;
const HIDDEN = '<insufficient privilege>';
const COUNTED: ReadonlySet<StatementKind> = new Set([
  'select',
  'insert',
  'update',
  'delete',
  'merge',
  'call',
  'refresh',
  'unknown',
]);

/** Answers with a reason where there is nothing to read. @throws nothing that PostgreSQL refuses */
export async function readServerStatistics(ask: Ask): Promise<ServerStatistics> {
  try {
    return await read(ask);
  } catch (error) {
    return { statements: [], since: null, problem: problemText(error) };
  }
}

async function read(ask: Ask): Promise<ServerStatistics> {
  const [extension] = await ask<ExtensionRow>(
    `SELECT n.nspname AS schema, e.extversion AS version
     FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_stat_statements'`,
  );
  if (!extension)
    return missing('CREATE EXTENSION pg_stat_statements, and preload it, to see other programs');
  const version = Number(extension.version.split('.')[1]);
  if (version < 8) return missing('ALTER EXTENSION pg_stat_statements UPDATE, it is too old');
  const view = formatRelationName({ schema: extension.schema, name: 'pg_stat_statements' });
  const rows = await ask<FigureRow>(
    `SELECT query, calls::float8 AS "calls", rows::float8 AS "rows", total_exec_time AS "totalMs",
            max_exec_time AS "maxMs", shared_blks_hit::float8 AS "hitBlocks",
            shared_blks_read::float8 AS "readBlocks", temp_blks_written::float8 AS "tempWrittenBlocks"
     FROM ${view} s WHERE calls > 0
       AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
     ORDER BY total_exec_time DESC LIMIT ${MAX_STATEMENTS}`,
  );
  const hidden = rows.filter(({ query }) => query === null || query === HIDDEN).length;
  return {
    statements: grouped(rows),
    since: version < 9 ? null : await resetAt(ask, extension.schema),
    problem: hidden === 0 ? null : `${hidden} statements of other roles are hidden: GRANT pg_read_all_stats`,
  };
}

async function resetAt(ask: Ask, schema: string): Promise<Date | null> {
  const view = formatRelationName({ schema, name: 'pg_stat_statements_info' });
  const [row] = await ask<{ since: Date | null }>(`SELECT stats_reset AS since FROM ${view}`);
  return row?.since ?? null;
}

function missing(problem: string): ServerStatistics {
  return { statements: [], since: null, problem };
}

/** One query has several rows: for each role, and for each way that PostgreSQL counts differently from us. */
function grouped(rows: readonly FigureRow[]): ServerStatement[] {
  const groups = new Map<string, ServerStatement>();
  for (const { query, ...row } of rows) {
    const statement = query === null || query === HIDDEN ? null : tryAnalyse(query);
    if (!statement || !COUNTED.has(statement.kind) || isOfCatalogue(statement)) continue;
    const known = groups.get(statement.fingerprint);
    const figures = sum(known?.figures, { ...row, meanMs: row.totalMs / row.calls });
    groups.set(statement.fingerprint, { statement: known?.statement ?? statement, figures });
  }
  return [...groups.values()].sort((a, b) => b.figures.totalMs - a.figures.totalMs);
}

function sum(a: ServerFigures | undefined, b: ServerFigures): ServerFigures {
  if (!a) return b;
  const calls = a.calls + b.calls;
  const totalMs = a.totalMs + b.totalMs;
  return {
    calls,
    totalMs,
    rows: a.rows + b.rows,
    meanMs: totalMs / calls,
    maxMs: Math.max(a.maxMs, b.maxMs),
    hitBlocks: a.hitBlocks + b.hitBlocks,
    readBlocks: a.readBlocks + b.readBlocks,
    tempWrittenBlocks: a.tempWrittenBlocks + b.tempWrittenBlocks,
  };
}

/** Of tools, this library among them: nothing that an application waits for. */
function isOfCatalogue({ references, kind }: Statement): boolean {
  const isSystem = (it: Statement['references'][number]) => {
    const { schema, name } = it.relation;
    return schema === 'pg_catalog' || schema === 'information_schema' || /^(pg|peregrine)_/.test(name);
  };
  return kind !== 'unknown' && references.length > 0 && references.every(isSystem);
}
