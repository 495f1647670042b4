import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where a development platform keeps its data when no folder is given. */
export const DEFAULT_DATA_FOLDER = join(ROOT, '.peregrine');

/** npm runs scripts in the repository's folder; a path that a person types is meant from where they are. */
export function fromCallersFolder(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}
