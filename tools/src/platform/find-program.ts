import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Where servers lie that are not on the PATH of an ordinary user. */
export const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin'];

/**
 * @param moreFolders to look in behind those of the PATH
 * @returns the path of the first of the programs that the system has; undefined when it has none
 */
export async function findProgram(
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  moreFolders: readonly string[] = [],
): Promise<string | undefined> {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((it) => it !== '');
  const all = [...folders, ...moreFolders];
  for (const program of names.flatMap((name) => all.map((folder) => join(folder, name)))) {
    try {
      await access(program, constants.X_OK);
      return program;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'ENOTDIR') throw error;
    }
  }
  return undefined;
}
