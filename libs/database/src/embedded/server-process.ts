/**
 * The process that owns one embedded PostgreSQL; forked by `EmbeddedPostgres`, in a session of its own, so that
 * Ctrl-C in the terminal does not reach the server while the apps still drain.
 *
 * Its life hangs on the IPC channel: on `stop`, or when the owner is gone in whatever way (`disconnect`, even
 * after SIGKILL), it stops the server, frees the lock and ends.
 */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { quoteIdentifier } from '../quote-identifier.js';

import { locateBinaries, type Binaries } from './binaries.js';
import { Cluster, makeParent } from './cluster.js';
import { DataFolderAccessError, EmbeddedInstallError, toWireError } from './embedded.errors.js';
import { OwnerLock } from './owner-lock.js';
import { clearPostmaster } from './postmaster.js';
import { PostgresServer } from './postgres-server.js';
import type { OwnerMessage, ServerMessage, ServerOptions } from './protocol.js';
import { asServerUser } from './server-program.js';
import { chooseServerUser, type ServerUser, withPassage } from './server-user.js';

const run = promisify(execFile);
/** Longer than the holder of a dying owner may take for both kinds of shutdown. */
const LOCK_GRACE_MS = 15_000;

const interrupted = new AbortController();
let server: PostgresServer | undefined;
let lock: OwnerLock | undefined;
let stopTimeoutMs = 0;
let ending: Promise<void> | undefined;

/** Resolves when the message is handed over, or when the owner is gone: then there is nobody to tell. */
function tell(message: ServerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

const onLog = (line: string): void => void tell({ type: 'log', line });

async function start(options: ServerOptions): Promise<void> {
  ({ stopTimeoutMs } = options);
  const owner = await chooseServerUser(options.dataDir);
  const dataDir = await makeParent(options.dataDir, owner);
  const binaries = await locateBinaries();
  const user = await withPassage(owner, [dataDir, binaries.postgres]);
  const version = await majorVersion(binaries, user);
  lock = await acquireLock(dataDir, user);
  const password = await new Cluster(dataDir, user, binaries, onLog, interrupted.signal).prepare(version);
  await clearPostmaster(dataDir, { stopTimeoutMs, onLog });
  interrupted.signal.throwIfAborted();
  server = await PostgresServer.start({ ...options, port: options.port, dataDir, binaries, user, onLog });
  void server.exited.then(() => end());
  await createDatabase(server.port, password, options.databaseName);
  await tell({ type: 'ready', port: server.port, pid: server.pid, password });
}

async function acquireLock(dataDir: string, user: ServerUser): Promise<OwnerLock> {
  try {
    return await OwnerLock.acquire(dataDir, stopTimeoutMs + LOCK_GRACE_MS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error;
    throw new DataFolderAccessError({
      folder: dirname(dataDir),
      user: user.name,
      reason: 'may not write in',
    });
  }
}

async function majorVersion({ postgres }: Binaries, user: ServerUser): Promise<string> {
  try {
    const { file, args, options } = asServerUser(user, postgres, ['--version']);
    const { stdout } = await run(file, args, options);
    return /\) (\d+)/.exec(stdout)?.[1] ?? stdout.trim();
  } catch (error) {
    throw new EmbeddedInstallError({
      reason: `${postgres} does not run (${(error as Error).message.trim()})`,
    });
  }
}

async function createDatabase(port: number, password: string, name: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${quoteIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

/** Stops what runs, frees the lock, tells how it went, ends. Only the first call counts. */
function end(failure?: unknown): Promise<void> {
  return (ending ??= shutDown(failure).catch(() => process.exit(1)));
}

async function shutDown(failure: unknown): Promise<void> {
  interrupted.abort();
  const exit = await server?.stop(stopTimeoutMs);
  await lock?.release();
  if (failure !== undefined) await tell({ type: 'failed', error: toWireError(failure) });
  if (exit) await tell({ type: 'exited', exit });
  process.exit(0);
}

/** A stop may come while the start is still under way: the start is left first, so that nothing is forgotten. */
let starting: Promise<void> = Promise.resolve();
async function stop(): Promise<void> {
  interrupted.abort();
  await starting;
  await end();
}

process.on('message', (message: OwnerMessage) => {
  if (message.type === 'start') starting = start(message.options).catch(end);
  else void stop();
});
process.on('disconnect', () => void stop());
process.on('uncaughtException', (error) => void end(error));
// A signal to the whole group or cgroup reaches the owner too, which drains first and then says `stop`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
