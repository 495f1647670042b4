import { chmod, link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { DataFolderError } from '../tools.errors.ts';
import { readJson } from './json-file.ts';
import { startTimeOf } from './process-identity.ts';

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

/** Everything a development platform writes, in one folder that one platform uses at a time. */
export class DataFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  get postgres(): string {
    return join(this.path, 'postgres');
  }

  get redis(): string {
    return join(this.path, 'redis');
  }

  get storage(): string {
    return join(this.path, 'storage');
  }

  get cache(): string {
    return join(this.path, 'cache');
  }

  get logs(): string {
    return join(this.path, 'logs');
  }

  get secretsFile(): string {
    return join(this.path, 'secrets.json');
  }

  get devFile(): string {
    return devFileIn(this.path);
  }

  /**
   * Creates the folder when it is missing, and takes it for this process.
   *
   * @throws {DataFolderError} when another platform runs on it, or this user may not write there
   */
  static async open(path: string): Promise<DataFolder> {
    const folder = new DataFolder(path);
    try {
      const created = await mkdir(folder.logs, { recursive: true });
      // Started by root, PostgreSQL runs as another user, which must get through; what is private is so by itself.
      if (created) await chmod(path, 0o755);
      await folder.lock();
    } catch (error) {
      throw asFolderError(error, path);
    }
    return folder;
  }

  /** @returns whether a living platform runs on the folder */
  static async isInUse(path: string): Promise<boolean> {
    return isAlive(await readHolder(new DataFolder(path).lockFile));
  }

  /** Gives the folder free. */
  async close(): Promise<void> {
    await rm(this.lockFile, { force: true });
  }

  private get lockFile(): string {
    return join(this.path, 'start.lock');
  }

  /** A dead holder's lock is taken over; PostgreSQL's own locks stand behind this one. */
  private async lock(): Promise<void> {
    const self: Holder = { pid: process.pid, startedAt: (await startTimeOf(process.pid)) ?? '' };
    const draft = `${this.lockFile}.${process.pid}`;
    await writeFile(draft, JSON.stringify(self));
    try {
      while (!(await succeeds(link(draft, this.lockFile), 'EEXIST'))) {
        const holder = await readHolder(this.lockFile);
        if (holder && (await isAlive(holder))) {
          throw new DataFolderError(
            `A platform already runs on ${this.path} (process ${holder.pid}). ` +
              'Stop it, or choose another folder: npm start -- --data <folder> --port <number>.',
          );
        }
        await rm(this.lockFile, { force: true });
      }
    } finally {
      await rm(draft, { force: true });
    }
  }
}

/** The description of the platform that runs on a data folder. */
export function devFileIn(dataFolder: string): string {
  return join(dataFolder, 'dev.json');
}

/** A lock that a power cut left empty belongs to nobody. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return (await readJson(path)) as Holder | undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isAlive(holder: Holder | undefined): Promise<boolean> {
  return holder !== undefined && (await startTimeOf(holder.pid)) === holder.startedAt;
}

async function succeeds(work: Promise<void>, code: string): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === code) return false;
    throw error;
  }
}

function asFolderError(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EACCES: 'this user may not write there',
    EPERM: 'this user may not write there',
    EROFS: 'its file system is read-only',
    ENOTDIR: 'a part of its path is a file',
    EEXIST: 'there is a file with that name',
    ENOSPC: 'the disk is full',
  };
  const reason = reasons[code ?? ''];
  if (reason === undefined) return error;
  return new DataFolderError(
    `The data folder ${path} cannot be used: ${reason}. Choose another one: npm start -- --data <folder>.`,
    { cause: error },
  );
}
