import type { SkippedStatement, WorkloadStatement } from '@peregrine/query-optimizer';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type pg from 'pg';

import { fromCallersFolder } from '../paths.ts';
import { UsageError } from '../tools.errors.ts';

/** A workload, and where it comes from, for people. */
export interface FoundWorkload {
  readonly statements: readonly WorkloadStatement[];
  readonly source: string;
  /** Files that hold no SQL that PostgreSQL could read. */
  readonly unreadable: readonly SkippedStatement[];
}

const MAX_STATEMENTS = 500;

/**
 * All `.sql` files below a folder, each with one statement or several. A file that cannot be read as SQL is named, and the
 * others count.
 *
 * @throws {UsageError} when there is no statement at all
 */
export async function readFolder(folder: string): Promise<FoundWorkload> {
  const root = fromCallersFolder(folder);
  const { splitStatements } = await import('@peregrine/query-optimizer');
  const statements: WorkloadStatement[] = [];
  const unreadable: SkippedStatement[] = [];
  for (const path of await sqlFiles(root)) {
    const name = relative(root, path).replace(/\.sql$/, '');
    try {
      const texts = await splitStatements((await readFile(path, 'utf8')).replace(BYTE_ORDER_MARK, ''));
      texts.forEach((text, index) =>
        statements.push({ id: texts.length > 1 ? `${name}#${index + 1}` : name, text, calls: 1, totalMs: 0 }),
      );
    } catch (error) {
      unreadable.push({ statement: name, reason: (error as Error).message });
    }
  }
  if (statements.length === 0) throw new UsageError(nothingIn(root, unreadable));
  return { statements, unreadable, source: `${statements.length} statements in ${root}` };
}

const BYTE_ORDER_MARK = /^\uFEFF/;

function nothingIn(root: string, unreadable: readonly SkippedStatement[]): string {
  const reasons = unreadable.map((it) => `\n  ${it.statement}.sql: ${it.reason}`).join('');
  return `--statements: there is no .sql file with a statement in ${root}.${reasons}`;
}

async function sqlFiles(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((it) => it.isFile() && it.name.endsWith('.sql'))
      .map((it) => join(it.parentPath, it.name))
      .sort();
  } catch (error) {
    throw new UsageError(`--statements: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * What the database remembers: pg_stat_statements, which counts the statements of every program; else the history that the
 * query optimizer writes.
 *
 * @throws {UsageError} that says what to do when it remembers nothing
 */
export async function readFromDatabase(pool: pg.Pool): Promise<FoundWorkload> {
  for (const { source, text } of SOURCES) {
    const statements = await ask(pool, text);
    if (statements.length > 0) {
      return { statements, unreadable: [], source: `${statements.length} statements of ${source}` };
    }
  }
  throw new UsageError(
    'The database remembers no statements: preload pg_stat_statements and create the extension, or give ' +
      '--statements <folder with .sql files>.',
  );
}

const SOURCES = [
  {
    source: 'pg_stat_statements',
    text: `SELECT s.queryid::text AS id, s.query AS text, s.calls::float8 AS calls, s.total_exec_time AS "totalMs"
             FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
            WHERE d.datname = current_database() AND s.calls > 0 AND s.query ~* '^\\s*(with|select|insert|update|delete|merge)\\M'
              AND s.query !~ 'pg_catalog\\.|pg_stat_|information_schema'
            ORDER BY s.total_exec_time DESC LIMIT ${MAX_STATEMENTS}`,
  },
  {
    source: 'the history of slow queries',
    text: `SELECT fingerprint AS id, min(sql) AS text, sum(calls)::float8 AS calls, sum(total_ms) AS "totalMs"
             FROM peregrine_slow_queries GROUP BY fingerprint ORDER BY sum(total_ms) DESC LIMIT ${MAX_STATEMENTS}`,
  },
] as const;

/** Nothing from a source that is not there, or not for this role. */
async function ask(pool: pg.Pool, text: string): Promise<WorkloadStatement[]> {
  try {
    return (await pool.query<WorkloadStatement>(text)).rows;
  } catch (error) {
    // Undefined table, not preloaded, no right.
    if (['42P01', '55000', '42501'].includes((error as pg.DatabaseError).code ?? '')) return [];
    throw error;
  }
}
