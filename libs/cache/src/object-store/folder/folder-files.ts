import { mkdir, open, rename, type FileHandle } from 'node:fs/promises';
import type { FileAddress, FolderLayout } from './folder-layout.js';

/** The cache may hold what not every user of the machine should read. */
const MODE = 0o600;

export const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Makes files and puts them into their places; folders are made when the first file needs them. */
export class FolderFiles {
  /** Folders whose own names this process has flushed to the disk; a few thousand at most. */
  readonly #flushed = new Set<string>();

  constructor(private readonly layout: FolderLayout) {}

  async create(temporary: string): Promise<FileHandle> {
    try {
      return await open(temporary, 'wx', MODE);
    } catch (error) {
      if (!isGone(error)) throw error;
      await mkdir(this.layout.temporary, { recursive: true });
      return await open(temporary, 'wx', MODE);
    }
  }

  async publish(temporary: string, address: FileAddress): Promise<void> {
    const target = this.layout.path(address);
    try {
      await rename(temporary, target);
    } catch (error) {
      if (!isGone(error)) throw error;
      await mkdir(this.layout.folder(address), { recursive: true });
      await rename(temporary, target);
    }
    if (address.kept) await this.#flushNames(address);
  }

  /** The name of the file, and once those of the folders above it, which may be new. */
  async #flushNames(address: FileAddress): Promise<void> {
    const [folder = '', ...above] = this.layout.foldersAbove(address);
    await flush(folder);
    if (this.#flushed.has(folder)) return;
    for (const one of above) await flush(one);
    this.#flushed.add(folder);
  }
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
