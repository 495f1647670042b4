import { randomUUID } from 'node:crypto';
import { type BigIntStats, constants, type Dirent } from 'node:fs';
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
} from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pipeline, type Readable, Transform } from 'node:stream';
import { pipeline as piped } from 'node:stream/promises';
import { SyncFileChangedError, SyncFileProblem, SyncSourceError } from '../sync.errors.js';
import { comparePaths } from '../merge-by-path.js';
import { guarded, ignoring, kindOf, problemOf, reasonOf, refusalOf } from './folder-faults.js';
import type { OnSkip, SyncTree, TreeFile } from './sync-tree.js';

/** A file that was written to less than this before it was looked at may be written to again unseen, milliseconds. */
const SETTLE_MS = 2_000;
const STATS_AT_ONCE = 32;
const READ_CHUNK_BYTES = 256 * 1024;
/** Files that are being written; what a crash leaves is removed by the next sync into the folder. */
const PARTIAL = /^\.peregrine-sync-[0-9a-f-]{36}\.part$/;
const PARTIAL_MAX_AGE_MS = 3_600_000;

interface Entry {
  dirent: Dirent;
  /** As a workspace calls it. */
  name: string;
  /** What it is ordered by: a folder comes where its files come. */
  key: string;
}

/** A folder below one of the roots that the options name. Links are not followed; devices, pipes and sockets not opened. */
export class FolderTree implements SyncTree {
  readonly #root: string;
  /** Folders that are known to be ones, for the many files that go into each. */
  readonly #folders = new Set<string>(['.']);

  private constructor(root: string) {
    this.#root = root;
  }

  /** @throws {SyncSourceError} when the folder is not there, or not below a root once all links on the way are followed */
  static async open(path: string, roots: readonly string[]): Promise<FolderTree> {
    const root = await realpath(path).catch(() => undefined);
    const allowed = await Promise.all(roots.map((it) => realpath(it).catch(() => undefined)));
    const isAllowed = allowed.some((it) => it !== undefined && root !== undefined && isWithin(root, it));
    if (root === undefined || !isAllowed)
      throw new SyncSourceError(`${path} is no folder below CONTENT_SYNC_ROOTS`);
    if (!(await stat(root)).isDirectory()) throw new SyncSourceError(`${path} is no folder`);
    return new FolderTree(root);
  }

  list(onSkip: OnSkip): AsyncIterable<TreeFile> {
    return this.#walk('', '', onSkip);
  }

  async count(): Promise<number> {
    let files = 0;
    const folders = [this.#root];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const it of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
        if (it.isDirectory()) folders.push(join(folder, it.name));
        else if (it.isFile()) files++;
      }
    }
    return files;
  }

  async open(file: TreeFile): Promise<Readable> {
    const handle = await this.#openFile(file);
    try {
      if (versionOf(await handle.stat({ bigint: true })) !== file.version) throw new SyncFileChangedError();
    } catch (error) {
      await handle.close();
      throw error;
    }
    const check = new Transform({
      transform: (chunk, _encoding, done) => done(null, chunk),
      flush: (done) => {
        handle
          .stat({ bigint: true })
          .then((it) => done(versionOf(it) === file.version ? null : new SyncFileChangedError()), done)
          .finally(() => void handle.close());
      },
    });
    // The reader gets a failure as an event of `check`. One that leaves early must not leave the file open.
    pipeline(
      handle.createReadStream({ highWaterMark: READ_CHUNK_BYTES, autoClose: false }),
      check,
      (error) => {
        if (error) void handle.close().catch(() => undefined);
      },
    );
    return check;
  }

  async write(path: string, body: Readable, modifiedAt: Date): Promise<TreeFile> {
    const folder = await this.#makeFolder(dirname(path));
    const temporary = join(folder, `.peregrine-sync-${randomUUID()}.part`);
    const target = join(this.#root, path);
    try {
      const handle = await guarded(() => open(temporary, 'wx'));
      await piped(body, handle.createWriteStream());
      await utimes(temporary, modifiedAt, modifiedAt);
      await guarded(() => rename(temporary, target));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      body.destroy();
    }
    return describe(path, path, await lstat(target, { bigint: true }));
  }

  async remove(file: TreeFile): Promise<void> {
    const target = join(this.#root, file.location);
    await this.#assertInside(target);
    await guarded(() => rm(target, { force: true }));
    // Folders that are empty now go with it; the first that is not stops it.
    for (let folder = dirname(file.location); folder !== '.'; folder = dirname(folder)) {
      try {
        await rmdir(join(this.#root, folder));
        this.#folders.delete(folder);
      } catch {
        return;
      }
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async *#walk(location: string, path: string, onSkip: OnSkip): AsyncGenerator<TreeFile> {
    const entries = await this.#entries(location, path, onSkip);
    for (let start = 0; start < entries.length; start += STATS_AT_ONCE) {
      const chunk = entries.slice(start, start + STATS_AT_ONCE);
      const stats = await Promise.all(
        chunk.map(({ dirent }) => this.#statOf(join(location, dirent.name), dirent)),
      );
      for (const [index, { dirent, name }] of chunk.entries()) {
        const found = stats[index];
        const place = { location: join(location, dirent.name), path: path === '' ? name : `${path}/${name}` };
        if (dirent.isDirectory()) yield* this.#walk(place.location, place.path, onSkip);
        else if (found instanceof Error) onSkip(place.path, reasonOf(found));
        else if (!found?.isFile()) onSkip(place.path, kindOf(dirent));
        else if (PARTIAL.test(name)) await this.#sweep(place.location, found);
        else yield describe(place.path, place.location, found);
      }
    }
  }

  /** What a folder has, in order; what cannot be a path of a workspace is skipped here. */
  async #entries(location: string, path: string, onSkip: OnSkip): Promise<Entry[]> {
    const prefix = path === '' ? '' : `${path}/`;
    let dirents: Dirent[];
    try {
      const folder = join(this.#root, location);
      await this.#assertInside(folder, 'itself');
      dirents = await readdir(folder, { withFileTypes: true });
    } catch (error) {
      // Of the root it is the end: a source that cannot be read is not an empty one.
      if (path === '')
        throw new SyncSourceError(`The folder cannot be read: ${reasonOf(error)}`, { cause: error });
      onSkip(prefix, reasonOf(error));
      return [];
    }
    const entries = new Map<string, Entry>();
    for (const dirent of dirents) {
      const name = dirent.name.normalize('NFC');
      const refusal = refusalOf(`${prefix}${name}`);
      const shown = `${prefix}${name}${dirent.isDirectory() ? '/' : ''}`;
      if (refusal !== undefined) onSkip(shown, refusal);
      else if (entries.has(name))
        onSkip(shown, 'Another name of the same folder is the same text in Unicode NFC');
      else entries.set(name, { dirent, name, key: dirent.isDirectory() ? `${name}/` : name });
    }
    return [...entries.values()].sort((a, b) => comparePaths(a.key, b.key));
  }

  async #statOf(location: string, dirent: Dirent): Promise<BigIntStats | Error | undefined> {
    if (!dirent.isFile()) return undefined;
    return lstat(join(this.#root, location), { bigint: true }).catch((error: Error) => error);
  }

  async #sweep(location: string, { mtimeMs }: BigIntStats): Promise<void> {
    if (Date.now() - Number(mtimeMs) > PARTIAL_MAX_AGE_MS)
      await rm(join(this.#root, location), { force: true });
  }

  /** The file itself and no link to another, in the folder itself and no link to another. Never waits for a pipe. */
  async #openFile(file: TreeFile): Promise<FileHandle> {
    const path = join(this.#root, file.location);
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const handle = await guarded(() => open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    try {
      // What is open is what the path leads to without a link on the way: another folder put in its place shows here.
      const [real, ours] = await Promise.all([realpath(path), handle.stat()]);
      const there = await lstat(real);
      if (real !== path || there.ino !== ours.ino || !ours.isFile()) throw new SyncFileChangedError();
      return handle;
    } catch (error) {
      await handle.close();
      throw problemOf(error);
    }
  }

  /** A folder below the root, made if it is not there; a link or a file on the way is refused. */
  async #makeFolder(location: string): Promise<string> {
    const folder = join(this.#root, location);
    if (!this.#folders.has(location)) {
      await this.#makeFolder(dirname(location));
      const made = await guarded(() => mkdir(folder).catch((error: unknown) => ignoring(error, 'EEXIST')));
      if (made === 'EEXIST' && !(await lstat(folder)).isDirectory())
        throw new SyncFileProblem(`${location} is no folder there`);
      this.#folders.add(location);
    }
    await this.#assertInside(folder, 'itself');
    return folder;
  }

  /** @throws {SyncFileProblem} when a link on the way leads elsewhere */
  async #assertInside(path: string, which: 'itself' | 'its folder' = 'its folder'): Promise<void> {
    const folder = which === 'itself' ? path : dirname(path);
    const real = await guarded(() => realpath(folder));
    if (real !== folder) throw new SyncFileProblem('A folder on the way is a symbolic link');
  }
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

function describe(path: string, location: string, found: BigIntStats): TreeFile {
  const isSettled = Date.now() - Number(found.mtimeMs) > SETTLE_MS;
  return { path, location, sizeBytes: Number(found.size), version: versionOf(found), isSettled };
}

function versionOf({ mtimeNs, size, ino }: BigIntStats): string {
  return `${mtimeNs}-${size}-${ino}`;
}
