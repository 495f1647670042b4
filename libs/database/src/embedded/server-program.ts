import { serverEnvironment } from './server-environment.js';
import type { ServerUser } from './server-user.js';

/** What `spawn` and `execFile` are called with. */
export interface ServerProgram {
  readonly file: string;
  readonly args: string[];
  readonly options: { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv };
}

/**
 * A program of PostgreSQL, to be run as the server's user. Where that user could not get through the folders above the
 * files (a clone in root's home, say), `setpriv` starts it with the one capability that lets it read and enter them;
 * `setpriv` replaces itself by the program, so the process id is the program's.
 */
export function asServerUser(user: ServerUser, program: string, args: readonly string[]): ServerProgram {
  const options = { cwd: '/', env: serverEnvironment() };
  const { uid, gid } = user.ids;
  if (!user.needsPassage || uid === undefined || gid === undefined) {
    return { file: program, args: [...args], options: { ...options, ...user.ids } };
  }
  // Without it access(2), by which initdb looks for the other programs, would not count the capability.
  const securebits = '--securebits=+no_setuid_fixup';
  const identity = [securebits, `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const passage = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return { file: 'setpriv', args: [...identity, ...passage, '--', program, ...args], options };
}
