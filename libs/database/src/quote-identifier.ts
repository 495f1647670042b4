/**
 * A name as a quoted SQL identifier. The one way to put a name that is not a literal of our own into SQL.
 *
 * @throws {RangeError} for an empty name or one with a NUL character, which PostgreSQL cannot hold
 */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new RangeError('An SQL identifier must not be empty or contain NUL');
  return `"${name.replaceAll('"', '""')}"`;
}
