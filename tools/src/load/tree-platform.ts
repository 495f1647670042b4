import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { devFileIn } from '../platform/data-folder.ts';
import { type DevFile, readDevFile } from '../platform/dev-file.ts';
import { InterruptedError, ProcessStartError } from '../tools.errors.ts';
import type { Tree } from './tree.ts';

const POLL_MS = 100;
const TAIL = 4_000;

/** A platform that a tree's own `npm start` runs, on servers and a folder of its own. */
export interface TreePlatform {
  readonly dev: DevFile;
  stop(): Promise<void>;
}

/**
 * @throws {ProcessStartError} with what it said, when it ends before it serves
 * @throws {InterruptedError} when `signal` is aborted before it serves
 */
export async function startTree({ folder, name }: Tree, signal: AbortSignal): Promise<TreePlatform> {
  const data = await mkdtemp(join(tmpdir(), 'peregrine-compare-'));
  // The embedded server may run as another user.
  await chmod(data, 0o755);
  // Two versions cannot share a database.
  const { DATABASE_URL: _database, REDIS_URL: _redis, NODE_OPTIONS: _options, ...environment } = process.env;
  const child = spawn(
    process.execPath,
    [join(folder, 'tools/src/start.ts'), '--no-build', '--port', '0', '--data', data],
    { cwd: folder, env: { ...environment, SHUTDOWN_DRAIN_MS: '0' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-TAIL)));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (isRunning()) {
      const ended = once(child, 'close');
      child.kill('SIGTERM');
      await ended;
    }
    await rm(data, { recursive: true, force: true });
  };
  while (isRunning() && !signal.aborted) {
    const dev = await readDevFile(devFileIn(data));
    if (dev) return { dev, stop };
    await delay(POLL_MS);
  }
  await stop();
  if (signal.aborted) throw new InterruptedError();
  throw new ProcessStartError(`The platform of ${name} did not start:\n${said}`);
}
