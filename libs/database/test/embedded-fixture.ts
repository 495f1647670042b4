import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import pg from 'pg';

import { asServerUser } from '../src/embedded/server-program.js';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

const isRoot = process.getuid?.() === 0;

/** A test of what only root, or only an ordinary user, can do; registered where it means something. */
const itWhen = (applies: boolean) => (title: string, test: () => Promise<void>) => {
  if (applies) it(title, test);
};
export const itAsRoot = itWhen(isRoot);
export const itAsUser = itWhen(!isRoot);

/** A folder that the server's user can enter, whatever our umask. */
export async function makeFolder(owner?: { uid: number; gid: number }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'peregrine-embedded-'));
  await chmod(folder, 0o755);
  if (owner) await chown(folder, owner.uid, owner.gid);
  return folder;
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

export async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

export interface Owner {
  readonly child: ChildProcess;
  readonly url: string;
  /** The postmaster's. */
  readonly pid: number;
}

/** Runs the fixture that owns an embedded server, in a process of its own. */
export function spawnOwner(dataDir: string, ids: { uid?: number; gid?: number } = {}): ChildProcess {
  const script = join(packageRoot, 'test/fixtures/embedded-owner.mjs');
  // The clone may lie where only root can enter.
  const user = { name: 'the owner', ids, needsPassage: true };
  const { file, args, options } = asServerUser(user, process.execPath, [script, dataDir]);
  return spawn(file, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
}

export async function startOwner(dataDir: string, ids: { uid?: number; gid?: number } = {}): Promise<Owner> {
  const child = spawnOwner(dataDir, ids);
  if (!child.stdout) throw new Error('the fixture has no stdout');
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error('the fixture ended before it was ready'))),
  ])) as [string];
  return { child, ...(JSON.parse(line) as { url: string; pid: number }) };
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

export async function serverProcessPid(dataDir: string): Promise<number> {
  return (JSON.parse(await readFile(`${dataDir}.lock`, 'utf8')) as { pid: number }).pid;
}

/** Waits for the condition; the test's own time limit is the only clock. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

export async function fails(work: Promise<unknown>): Promise<Error> {
  try {
    await work;
  } catch (error) {
    return error as Error;
  }
  throw new Error('It should have failed');
}
