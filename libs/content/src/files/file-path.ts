import { InvalidFilePathError } from '../content.errors.js';

/** The longest path, in bytes of UTF-8: an index entry must stay well under PostgreSQL's 2,704. */
export const MAX_PATH_BYTES = 1_024;

const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * The one spelling of a file's path inside its workspace: `/` between segments, none at either end, Unicode
 * NFC. It is a name, never a location: storage keys do not come from it.
 *
 * @throws {InvalidFilePathError} for an empty, `.` or `..` segment, a control character (NUL too), a
 * backslash, a lone surrogate, or more than {@link MAX_PATH_BYTES} bytes
 */
export function parseFilePath(text: string): string {
  const path = text.normalize('NFC').replace(/^\/+/, '');
  const refuse = (reason: string): never => {
    throw new InvalidFilePathError(reason);
  };
  if (path === '') refuse('it is empty');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) refuse(`it is longer than ${MAX_PATH_BYTES} bytes`);
  if (!path.isWellFormed()) refuse('it holds half a surrogate pair');
  if (CONTROL_CHARACTER.test(path)) refuse('it holds a control character');
  if (path.includes('\\')) refuse('it holds a backslash; use "/" between folders');
  for (const segment of path.split('/')) {
    if (segment === '') refuse('it has an empty segment');
    if (segment === '.' || segment === '..') refuse(`it has the segment "${segment}"`);
  }
  return path;
}

/** The last segment of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
