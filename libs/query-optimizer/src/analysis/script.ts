import { parseSync } from 'libpg-query';

import { QuerySyntaxError } from '../query-optimizer.errors.js';
import { loadAnalyser } from './parser.js';

/**
 * The statements of a script, by PostgreSQL's grammar: a semicolon in a string or in a function's body ends none. Commands
 * of psql are no SQL.
 *
 * @throws {QuerySyntaxError}
 */
export async function splitStatements(script: string): Promise<string[]> {
  await loadAnalyser();
  // The parser counts bytes.
  const bytes = Buffer.from(script);
  try {
    return (parseSync(script).stmts ?? []).map(({ stmt_location: start = 0, stmt_len: length }) =>
      bytes
        .subarray(start, length ? start + length : undefined)
        .toString()
        .trim(),
    );
  } catch (error) {
    throw new QuerySyntaxError(error instanceof Error ? error.message : String(error), null, {
      cause: error,
    });
  }
}
