import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { ROOT } from './paths.ts';
import { OutdatedFileError } from './tools.errors.ts';

/** A committed file that a command writes. */
export interface GeneratedFile {
  /** From the repository's folder. */
  readonly path: string;
  readonly text: string;
}

export async function writeGeneratedFiles(files: readonly GeneratedFile[]): Promise<void> {
  for (const { path, text } of files) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), text);
  }
}

/**
 * @param command what writes them, for the message
 * @throws {OutdatedFileError} with the files that are missing or say something else
 */
export async function assertUpToDate(files: readonly GeneratedFile[], command: string): Promise<void> {
  const outdated: string[] = [];
  for (const { path, text } of files) if ((await readOrEmpty(path)) !== text) outdated.push(path);
  if (outdated.length === 0) return;
  throw new OutdatedFileError(
    `${outdated.join(', ')}: out of date. Run "${command}" and commit what it writes.`,
  );
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(join(ROOT, path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
