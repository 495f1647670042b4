import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { Binaries } from './binaries.js';
import {
  DataFolderAccessError,
  DataFolderForeignError,
  DataFolderVersionError,
  EmbeddedStartError,
} from './embedded.errors.js';
import { LineTail } from './line-tail.js';
import { asServerUser } from './server-program.js';
import type { ServerUser } from './server-user.js';

const PASSWORD_FILE = 'peregrine.password';

/**
 * The cluster's folder. It appears complete or not at all: initdb works in `<dataDir>.tmp`, which is renamed at
 * the end, so a crash in between leaves only a folder that the next start removes.
 */
export class Cluster {
  constructor(
    readonly dataDir: string,
    private readonly user: ServerUser,
    private readonly binaries: Binaries,
    private readonly onLog: (line: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Creates the cluster when the folder is missing or empty; else checks that it is one of ours.
   *
   * @param expectedVersion the major version of the programs
   * @returns the superuser's password
   */
  async prepare(expectedVersion: string): Promise<string> {
    const entries = await this.list();
    if (entries.length === 0) await this.create();
    else await this.check(entries, expectedVersion);
    return (await readFile(join(this.dataDir, PASSWORD_FILE), 'utf8')).trim();
  }

  private async list(): Promise<string[]> {
    try {
      return await readdir(this.dataDir);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return [];
      if (code === 'ENOTDIR') throw this.foreign('it is not a folder');
      if (code === 'EACCES') {
        throw new DataFolderAccessError({
          folder: this.dataDir,
          user: this.user.name,
          reason: 'may not read',
        });
      }
      throw error;
    }
  }

  private async check(entries: readonly string[], expected: string): Promise<void> {
    if (!entries.includes('PG_VERSION')) throw this.foreign('it is not empty and holds no PostgreSQL data');
    const found = (await readFile(join(this.dataDir, 'PG_VERSION'), 'utf8')).trim();
    if (found !== expected) throw new DataFolderVersionError({ dataDir: this.dataDir, found, expected });
    if (!entries.includes('global') || !entries.includes('base'))
      throw this.foreign('its PostgreSQL data is damaged');
    if (!entries.includes(PASSWORD_FILE)) {
      throw this.foreign(`it has no ${PASSWORD_FILE}, so its PostgreSQL data was not made by Peregrine`);
    }
  }

  private async create(): Promise<void> {
    const draft = `${this.dataDir}.tmp`;
    const passwordFile = `${draft}.password`;
    await Promise.all([draft, passwordFile].map((it) => rm(it, { recursive: true, force: true })));
    try {
      await mkdir(draft, { mode: 0o700 });
      await this.own(draft, 0o700);
      await this.writePassword(passwordFile);
      await this.initdb(draft, passwordFile);
      await rename(passwordFile, join(draft, PASSWORD_FILE));
      await syncFolder(draft);
      // Replaces an empty folder, fails on any other.
      await rename(draft, this.dataDir);
      await syncFolder(dirname(this.dataDir));
    } finally {
      await Promise.all([draft, passwordFile].map((it) => rm(it, { recursive: true, force: true })));
    }
  }

  private async writePassword(path: string): Promise<void> {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(`${randomBytes(24).toString('base64url')}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await this.own(path, 0o600);
  }

  /** Whatever the umask: initdb must be able to use it, nobody else. */
  private async own(path: string, mode: number): Promise<void> {
    await chmod(path, mode);
    const { uid, gid } = this.user.ids;
    if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
  }

  private async initdb(folder: string, passwordFile: string): Promise<void> {
    const tail = new LineTail(this.onLog);
    const { file, args, options } = asServerUser(this.user, this.binaries.initdb, [
      `--pgdata=${folder}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The same order and case rules on every machine, without the system's locales.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
    ]);
    const child = spawn(file, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: this.signal,
      killSignal: 'SIGINT',
    });
    tail.read(child.stdout);
    tail.read(child.stderr);
    const failure = await new Promise<string | undefined>((resolve) => {
      let cause: string | undefined;
      child.once('error', (error) => (cause = error.message));
      // Also after an error: nothing may be cleaned up while initdb still writes.
      child.once('close', (code, signal) => resolve(cause ?? (code === 0 ? undefined : `${signal ?? code}`)));
    });
    if (failure !== undefined) {
      throw new EmbeddedStartError({ reason: `initdb failed (${failure})`, log: tail.lines });
    }
  }

  private foreign(reason: string): DataFolderForeignError {
    return new DataFolderForeignError({ dataDir: this.dataDir, reason });
  }
}

/** Makes the folder above the data folder, enterable by the server's user whatever the umask. */
export async function makeParent(dataDir: string, user: ServerUser): Promise<string> {
  const parent = dirname(dataDir);
  try {
    const first = await mkdir(parent, { recursive: true, mode: 0o755 });
    if (first !== undefined) await openFolders(first, parent);
    // The path as PostgreSQL will report it.
    return join(await realpath(parent), basename(dataDir));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new DataFolderAccessError({ folder: parent, user: user.name, reason: 'may not create or enter' });
  }
}

async function openFolders(first: string, last: string): Promise<void> {
  for (let folder = last; folder.length >= first.length; folder = dirname(folder)) await chmod(folder, 0o755);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
