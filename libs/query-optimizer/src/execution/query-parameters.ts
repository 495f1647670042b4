import { type Statement } from '../analysis/statement.js';
import { QueryParameterCountError, QueryParameterError } from '../query-optimizer.errors.js';

/** The protocol counts them in 16 bits. @see https://www.postgresql.org/docs/current/protocol-message-formats.html Bind */
const MAX_PARAMETERS = 65_535;

/**
 * What the driver would send as something else than was meant: NaN as text, undefined as NULL, a function as its source.
 *
 * @throws {QueryParameterError} {@link QueryParameterCountError}
 */
export function assertParameters(statement: Statement, parameters: readonly unknown[]): void {
  if (statement.kind !== 'unknown' && parameters.length !== statement.parameterCount) {
    throw new QueryParameterCountError(statement.parameterCount, parameters.length);
  }
  if (parameters.length > MAX_PARAMETERS) {
    throw new QueryParameterError(
      MAX_PARAMETERS + 1,
      'is one too many for PostgreSQL; give an array instead',
    );
  }
  // Not `entries`, which makes an object of each; holes are found too.
  for (let index = 0; index < parameters.length; index++) {
    const problem = problemOf(parameters[index]);
    if (problem) throw new QueryParameterError(index + 1, problem);
  }
}

function problemOf(value: unknown): string | undefined {
  if (value === undefined) return 'is undefined; give null for NULL';
  if (typeof value === 'number' && !Number.isFinite(value))
    return `is ${value}, which is no number of PostgreSQL's`;
  if (typeof value === 'function' || typeof value === 'symbol') return `is a ${typeof value}`;
  if (typeof value === 'string' && value.includes('\0'))
    return 'holds a NUL character, which PostgreSQL has no text with';
  if (Array.isArray(value)) return problemInside(value);
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'is no valid date';
  return undefined;
}

function problemInside(items: readonly unknown[]): string | undefined {
  // Not `some`, which leaves out the holes, and these are undefined too.
  for (const it of items) {
    const problem = problemOf(it);
    if (problem) return `holds an element that ${problem}`;
  }
  return undefined;
}
