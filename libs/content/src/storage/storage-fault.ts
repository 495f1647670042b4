import type { StorageDriverName } from './storage-driver.js';
import { StorageError, StorageUnavailableError } from './storage.errors.js';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'access is denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the quota is used up',
  EMFILE: 'the process has too many open files',
  ENFILE: 'the system has too many open files',
  ENOTDIR: 'a part of the path is not a folder',
  EIO: 'the device failed',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke off',
  ENOTFOUND: 'the host name is not known',
  ETIMEDOUT: 'it did not answer in time',
  TimeoutError: 'it did not answer in time',
  AccessDenied: 'access is denied',
  NoSuchBucket: 'the bucket does not exist',
};

/** The code, or else the name, of an error. Never its message: that may hold a path, a URL or a credential. */
function label(error: unknown): string {
  return errorCode(error) ?? errorName(error) ?? 'unknown error';
}

/**
 * An unexpected failure of a driver as the error to throw.
 *
 * @param cause what the new error names as its cause, when that is more than `error`
 */
export function storageFault(
  driver: StorageDriverName,
  operation: string,
  error: unknown,
  cause: unknown = error,
): StorageError {
  if (error instanceof StorageError) return error;
  const code = label(error);
  const reason = REASONS[code];
  return new StorageUnavailableError(driver, operation, reason ? `${reason} (${code})` : code, { cause });
}

/** Whether a file-system error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/** The `code` of an error of Node or of a client library, `undefined` when it has none. */
function errorCode(error: unknown): string | undefined {
  return textOf(error, 'code');
}

/** The `name` of an error. */
export function errorName(error: unknown): string | undefined {
  return textOf(error, 'name');
}

function textOf(error: unknown, property: 'code' | 'name'): string | undefined {
  const value = (error as Record<string, unknown> | null | undefined)?.[property];
  return typeof value === 'string' ? value : undefined;
}
