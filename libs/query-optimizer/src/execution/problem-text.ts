import { DatabaseError } from 'pg';

/** Class 22: the message of a data exception quotes the data. */
const QUOTES_DATA = /^22/;

/** A reason for a report: what PostgreSQL said, with its code, but no value of anybody's row or parameter. */
export function problemText(error: unknown): string {
  if (!(error instanceof DatabaseError)) return error instanceof Error ? error.message : String(error);
  const { code = '?', message } = error;
  return QUOTES_DATA.test(code)
    ? `PostgreSQL refused a value (${code})`
    : `PostgreSQL says: ${message} (${code})`;
}
