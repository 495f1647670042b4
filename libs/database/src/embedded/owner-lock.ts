import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { DataFolderInUseError, EmbeddedStartError } from './embedded.errors.js';
import { identifyProcess, isAlive } from './process-identity.js';

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
  readonly owner: { readonly pid: number; readonly startedAt: string };
}

const POLL_MS = 50;

/**
 * One server process per data folder: a file with the process number and start time of its holder.
 *
 * A dead holder's file is taken over. A living holder whose owner has died is stopping its server: it is waited
 * for. Two takers of the same dead file are told apart by the rename; should three meet within microseconds,
 * PostgreSQL's own postmaster.pid is the second line.
 */
export class OwnerLock {
  private constructor(private readonly path: string) {}

  /** @throws {DataFolderInUseError} when a living holder has a living owner, or does not end within `waitMs` */
  static async acquire(dataDir: string, waitMs: number): Promise<OwnerLock> {
    const path = `${dataDir}.lock`;
    const self = await describeSelf();
    const deadline = performance.now() + waitMs;
    while (!(await tryCreate(path, self))) {
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if (!(await isAlive(holder))) {
        await removeStale(path, holder);
      } else if ((await isAlive(holder.owner)) || performance.now() > deadline) {
        throw new DataFolderInUseError({ dataDir, pid: holder.pid });
      } else {
        await delay(POLL_MS);
      }
    }
    return new OwnerLock(path);
  }

  async release(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

async function describeSelf(): Promise<Holder> {
  const [self, owner] = await Promise.all([identifyProcess(process.pid), identifyProcess(process.ppid)]);
  if (!self) throw new EmbeddedStartError({ reason: 'the system does not list our own process', log: [] });
  return {
    pid: self.pid,
    startedAt: self.startedAt,
    owner: { pid: process.ppid, startedAt: owner?.startedAt ?? '' },
  };
}

/** The link makes the file appear with its content: nobody ever reads half of it. */
async function tryCreate(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

const NOBODY: Holder = { pid: 0, startedAt: '', owner: { pid: 0, startedAt: '' } };

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return parseHolder(await readFile(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that a power cut left without its content belongs to nobody. */
function parseHolder(text: string): Holder {
  try {
    const value = JSON.parse(text) as Partial<Holder> | null;
    return typeof value?.pid === 'number' && value.owner ? { ...NOBODY, ...value } : NOBODY;
  } catch (error) {
    if (error instanceof SyntaxError) return NOBODY;
    throw error;
  }
}

/** Moves the file aside first: if another taker was quicker, its fresh file is put back. */
async function removeStale(path: string, stale: Holder): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = await readHolder(aside);
  if (moved && (moved.pid !== stale.pid || moved.startedAt !== stale.startedAt)) await rename(aside, path);
  else await rm(aside, { force: true });
}
