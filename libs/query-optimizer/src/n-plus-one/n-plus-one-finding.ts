import { type ParentQuery } from './parent-results.js';

/** The same statement was run for one value after the other, within one request or task. */
export interface NPlusOneFinding {
  /** What {@link NPlusOneDetector.run} was given. */
  readonly scope: string;
  readonly fingerprint: string;
  /** Constants as parameters. */
  readonly sql: string;
  readonly where: string;
  readonly frames: readonly string[];
  readonly count: number;
  readonly durationMs: number;
  readonly table: string;
  readonly column: string;
  /** Null when the values come from elsewhere: the request, a file. */
  readonly parent: ParentQuery | null;
  /** The statement for all values at once, when it can be written down. */
  readonly rewrite: string | null;
}

/** For a person: what happened, where, and what to do. */
export function describeFinding(it: NPlusOneFinding): string {
  const lines = [
    `N+1: ${it.count} queries in ${it.durationMs.toFixed(1)} ms by ${it.table}.${it.column}, in ${it.scope}`,
    `  at ${it.where}`,
    `  ${it.sql}`,
  ];
  if (it.parent) {
    lines.push(`  for each "${it.parent.column}" of: ${it.parent.sql}`, `    at ${it.parent.where}`);
  }
  lines.push('  Ask for all of them at once:', ...advice(it).map((line) => `  - ${line}`));
  return lines.join('\n');
}

function advice({ rewrite, parent, table, column }: NPlusOneFinding): string[] {
  const lines: string[] = [];
  if (rewrite) lines.push(`one statement: ${rewrite}`);
  else lines.push(`one statement with ${column} = ANY($1); for some rows of each, LATERAL or row_number()`);
  if (parent)
    lines.push(`TypeORM: load the relation to ${table} with the parent (relations, or leftJoinAndSelect)`);
  lines.push(
    `a loader, within withLoaders: optimizer.rowsLoaderFor({ table: '${table}', key: '${column}' }), or loaderFor for one row`,
  );
  return lines;
}
