import type { Dirent } from 'node:fs';
import { MAX_PATH_BYTES, parseFilePath } from '../../files/file-path.js';
import { SyncFileProblem } from '../sync.errors.js';

/** Why a path cannot be one of a workspace; undefined when it can. */
export function refusalOf(path: string): string | undefined {
  if (path.includes('\u{fffd}')) return 'The name is not UTF-8';
  try {
    parseFilePath(path);
    return undefined;
  } catch (error) {
    const isTooLong = Buffer.byteLength(path) > MAX_PATH_BYTES;
    return isTooLong ? `The path is longer than ${MAX_PATH_BYTES} bytes` : (error as Error).message;
  }
}

/** What it is, when it is no regular file. */
export function kindOf(dirent: Dirent): string {
  if (dirent.isSymbolicLink()) return 'A symbolic link; links are not followed';
  if (dirent.isFIFO()) return 'A pipe';
  if (dirent.isSocket()) return 'A socket';
  return dirent.isBlockDevice() || dirent.isCharacterDevice() ? 'A device' : 'No regular file';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'It is gone',
  EACCES: 'Access is denied',
  EPERM: 'Access is denied',
  ELOOP: 'A symbolic link; links are not followed',
  EISDIR: 'A folder of that name is in the way',
  ENOTEMPTY: 'A folder of that name is in the way',
  ENOTDIR: 'A file is in the way of its folder',
  EEXIST: 'A folder of that name is in the way',
  ENAMETOOLONG: 'The file system takes no name of this length',
};

/** What a failure means, for a person. Never the message of the system: it holds paths. */
export function reasonOf(error: unknown): string {
  if (error instanceof SyncFileProblem) return error.message;
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return REASONS[code] ?? `It cannot be accessed (${code || 'unknown'})`;
}

/** What stops one file; a full or broken disk is no problem of one file, and stays what it is. */
export function problemOf(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return code in REASONS ? new SyncFileProblem(reasonOf(error), { cause: error }) : error;
}

/** @throws {SyncFileProblem} @throws what is no problem of one file */
export async function guarded<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw problemOf(error);
  }
}

/** The code, when it is this one. */
export function ignoring(error: unknown, code: string): string {
  if ((error as NodeJS.ErrnoException).code === code) return code;
  throw error;
}
