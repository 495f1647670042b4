import { readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { DataFolderInUseError } from './embedded.errors.js';
import {
  identifyProcess,
  waitUntilGone,
  workingDirectory,
  type ProcessIdentity,
} from './process-identity.js';

/** A setting without effect that marks a server as ours in the list of processes. */
const MARK = '-c peregrine.embedded=on';
const IMMEDIATE_STOP_MS = 5_000;

/** The first arguments of every server that we start: by them an orphan is recognised. */
export function markedArguments(dataDir: string): string[] {
  return ['-D', dataDir, ...MARK.split(' ')];
}

interface PostmasterFile {
  readonly pid: number;
  /** `starting`, `ready`, `stopping`, `standby`; empty when the file is not complete yet. */
  readonly status: string;
}

/** postmaster.pid, whose lines PostgreSQL documents in "Database File Layout" and miscadmin's pidfile.h. */
export async function readPostmasterFile(dataDir: string): Promise<PostmasterFile | undefined> {
  try {
    const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
    const pid = Number.parseInt(lines[0] ?? '', 10);
    // A negative number is a stand-alone backend.
    return Number.isNaN(pid) ? undefined : { pid: Math.abs(pid), status: lines[7]?.trim() ?? '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Makes the data folder free to start on: stops an orphan of ours, removes a postmaster.pid whose number now
 * belongs to another program. A file whose process is gone is left to PostgreSQL, which checks more than we do
 * (left-over backends that still hold shared memory).
 *
 * Call it only under the owner lock: it takes any marked server for an orphan.
 *
 * @throws {DataFolderInUseError} when a server that we did not start runs on the folder
 */
export async function clearPostmaster(
  dataDir: string,
  options: { stopTimeoutMs: number; onLog: (line: string) => void },
): Promise<void> {
  const file = await readPostmasterFile(dataDir);
  if (!file) return;
  const identity = await identifyProcess(file.pid);
  if (!identity) return removeIfZombie(dataDir, file.pid);
  const folder = await realpath(dataDir);
  if (identity.commandLine.includes(markedArguments(folder).join(' '))) {
    options.onLog(`peregrine: stopping server ${identity.pid}, which a crash left behind on this folder`);
    await stopProcess(identity, options.stopTimeoutMs);
  } else if (await mayServe(identity, folder)) {
    throw new DataFolderInUseError({ dataDir, pid: identity.pid });
  } else {
    options.onLog(`peregrine: removing a stale postmaster.pid, process ${file.pid} is another program`);
    await rm(join(dataDir, 'postmaster.pid'), { force: true });
  }
}

/** SIGINT (fast shutdown), then SIGQUIT (immediate, recovers on the next start), then SIGKILL. */
export async function stopProcess(identity: ProcessIdentity, timeoutMs: number): Promise<void> {
  const steps = [
    ['SIGINT', timeoutMs],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
    ['SIGKILL', IMMEDIATE_STOP_MS],
  ] as const;
  for (const [signal, waitMs] of steps) {
    signalProcess(identity.pid, signal);
    if (await waitUntilGone(identity, waitMs)) return;
  }
}

/** A process that has just ended is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** PostgreSQL takes a zombie for a living server, because kill(pid, 0) succeeds. */
async function removeIfZombie(dataDir: string, pid: number): Promise<void> {
  try {
    process.kill(pid, 0);
  } catch {
    // Gone altogether, or not ours to ask: PostgreSQL decides.
    return;
  }
  await rm(join(dataDir, 'postmaster.pid'), { force: true });
}

/** False only when it is certain that the process is no server of this folder. */
async function mayServe({ pid, commandLine }: ProcessIdentity, folder: string): Promise<boolean> {
  const program = commandLine.split(' ', 1)[0] ?? '';
  const isPostmaster = /(^|\/)(postgres|postmaster)$/.test(program);
  if (!isPostmaster) return false;
  const cwd = await workingDirectory(pid);
  if (cwd !== undefined) return cwd === folder;
  const named = /\s-D\s*(\/\S+)/.exec(commandLine)?.[1];
  return named === undefined || named === folder;
}
