import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { ROOT } from '../src/paths.ts';
import { type DevFile, readDevFile } from '../src/platform/dev-file.ts';
import { sendSignal, startTimeOf } from '../src/platform/process-identity.ts';

export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

export interface StartSetup {
  /** @default the user of the test */
  readonly user?: User;
  readonly args?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Of an earlier start. @default a new one */
  readonly folder?: string;
}

const POLL_MS = 50;

/** `nobody` of Debian and of most other systems. */
export const ordinaryUser: User = { uid: 65_534, gid: 65_534 };
export const isRoot = process.getuid?.() === 0;

/** A folder that both the given user and the embedded server's user can enter. */
export async function makeDataFolder(user: User = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-start-'));
  await chmod(folder, 0o755);
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid);
  return folder;
}

/** `npm start` without npm, on a data folder and a port of its own, from what was built before. */
export class StartRun {
  readonly folder: string;
  readonly child: ChildProcess;
  /** Exit code, null after a signal. */
  readonly ended: Promise<number | null>;
  output = '';

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  static async begin({ user = {}, args = [], environment = {}, folder }: StartSetup = {}): Promise<StartRun> {
    const data = folder ?? (await makeDataFolder(user));
    const { DATABASE_URL: _database, REDIS_URL: _redis, NODE_OPTIONS: _options, ...inherited } = process.env;
    const script = join(ROOT, 'tools/src/start.ts');
    const child = spawn(
      ...programOf(user, [process.execPath, script, '--no-build', '--data', data, '--port', '0', ...args]),
      {
        cwd: ROOT,
        env: { ...inherited, HOME: data, SHUTDOWN_DRAIN_MS: '0', INDEX_ADVISOR_MODE: 'off', ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return new StartRun(data, child);
  }

  /** A start that serves. The file of a run that was killed does not count. */
  static async ready(setup: StartSetup = {}): Promise<StartRun> {
    const run = await StartRun.begin(setup);
    await run.until(async () => {
      const dev = await readDevFile(join(run.folder, 'dev.json'));
      return dev?.processes.some(({ pid }) => pid === run.pid) === true;
    });
    return run;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async dev(): Promise<DevFile> {
    const dev = await readDevFile(join(this.folder, 'dev.json'));
    if (!dev) throw new Error(`There is no dev.json. The start said:\n${this.output}`);
    return dev;
  }

  async processId(name: string): Promise<number | undefined> {
    return (await this.dev()).processes.find((it) => it.name === name)?.pid;
  }

  /** Kills one process of the platform; resolves when another one has its place. */
  async killAndAwaitRestart(name: string): Promise<void> {
    const pid = await this.processId(name);
    if (pid === undefined) throw new Error(`There is no process ${name}`);
    sendSignal(pid, 'SIGKILL');
    await this.until(async () => ![undefined, pid].includes(await this.processId(name)));
  }

  /** Waits for the condition; the test's own time limit is the only clock. Fails when the start ends. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) {
      const { exitCode, signalCode } = this.child;
      if (exitCode !== null || signalCode !== null) throw new Error(`The start ended:\n${this.output}`);
      await delay(POLL_MS);
    }
  }

  /** Ends it if it still runs, and removes its folder. */
  async cleanUp(): Promise<void> {
    const isRunning = this.child.exitCode === null && this.child.signalCode === null;
    const others = isRunning ? await descendantsOf(this.pid) : [];
    this.child.kill('SIGKILL');
    await this.ended;
    await allGone(others);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * The command line, to be run as the user. Another user than ours may read and enter every folder, since the clone may
 * lie where only root can; writing is what its own rights allow.
 */
function programOf({ uid, gid }: User, [file = '', ...args]: string[]): [string, string[]] {
  if (uid === undefined || gid === undefined) return [file, args];
  const identity = ['--securebits=+no_setuid_fixup', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const passage = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  return ['setpriv', [...identity, ...passage, '--', file, ...args]];
}

export interface ProcessMark {
  readonly pid: number;
  readonly startedAt: string;
}

/** Every process below `pid`, in whatever session or group. Linux only, as the tests that use it. */
export async function descendantsOf(pid: number): Promise<ProcessMark[]> {
  const parents = new Map<number, number>();
  for (const name of (await readdir('/proc')).filter((it) => /^\d+$/.test(it))) {
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (it: number): boolean => {
    const parent = parents.get(it) ?? 0;
    return parent === pid || (parent > 1 && isBelow(parent));
  };
  const marks = [...parents.keys()]
    .filter(isBelow)
    .map(async (it) => ({ pid: it, startedAt: (await startTimeOf(it)) ?? '' }));
  return (await Promise.all(marks)).filter(({ startedAt }) => startedAt !== '');
}

/** Resolves when none of them lives. */
export async function allGone(marks: readonly ProcessMark[]): Promise<void> {
  for (const { pid, startedAt } of marks) {
    while ((await startTimeOf(pid)) === startedAt) await delay(POLL_MS);
  }
}

export async function statusOf(url: string, apiKey?: string): Promise<number> {
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  try {
    const response = await fetch(url, { headers });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    // Not listening, or cut off.
    if (error instanceof TypeError) return 0;
    throw error;
  }
}
