import { execFile } from 'node:child_process';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A living process. `startedAt` tells it from a later one with the same, reused, number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal for the same process only, over reboots too. */
  readonly startedAt: string;
  /** Program and arguments, joined by spaces. */
  readonly commandLine: string;
}

const run = promisify(execFile);
const POLL_MS = 20;

/** @returns undefined when there is no such process; a zombie counts as gone */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    return process.platform === 'linux' ? await fromProc(pid) : await fromPs(pid);
  } catch (error) {
    // ENOENT and ESRCH: it ended, perhaps while we looked. ps ends with 1 when there is none.
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** Is exactly this process, not a later one with its number, still there? */
export async function isAlive(identity: { pid: number; startedAt: string }): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startedAt === identity.startedAt;
}

/** @returns false when the process is still there after `timeoutMs` */
export async function waitUntilGone(
  identity: { pid: number; startedAt: string },
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (await isAlive(identity)) {
    if (performance.now() > deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** The working directory of a process, or undefined when the system does not tell. */
export async function workingDirectory(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  // Another user's process hides it: then the caller has to do without.
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined);
}

async function fromProc(pid: number): Promise<ProcessIdentity | undefined> {
  const [stat, command, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8'),
    readFile(`/proc/${pid}/cmdline`, 'utf8'),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
  ]);
  // The program's name may contain spaces and brackets, the fields after its last bracket do not (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    startedAt: `${boot.trim()}:${startTicks}`,
    commandLine: command.split('\0').join(' ').trim(),
  };
}

async function fromPs(pid: number): Promise<ProcessIdentity | undefined> {
  const { stdout } = await run('ps', ['-ww', '-o', 'stat=,lstart=,command=', '-p', String(pid)], {
    env: { ...process.env, LC_ALL: 'C' },
  });
  const match = /^(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.*)$/.exec(stdout.trim());
  if (!match || match[1]?.startsWith('Z')) return undefined;
  return { pid, startedAt: match[2] ?? '', commandLine: match[3] ?? '' };
}

function isGone(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ENOENT' || code === 'ESRCH' || (process.platform !== 'linux' && code === 1);
}
