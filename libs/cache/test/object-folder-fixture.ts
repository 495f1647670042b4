import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { FolderStore } from '../src/object-store/folder/folder-store.js';
import type { FolderStoreOptions } from '../src/object-store/folder/folder-store.options.js';

/** Folder stores in folders of their own; all of it is gone after `stop`. */
export class FolderFixture {
  #root: string | undefined;
  #folders = 0;
  readonly #opened: FolderStore[] = [];

  async start(): Promise<void> {
    this.#root = await mkdtemp(join(tmpdir(), 'peregrine-objects-'));
  }

  /** The path of a folder that does not exist yet. */
  newFolder(): string {
    if (this.#root === undefined) throw new Error('The fixture was not started');
    return join(this.#root, String(this.#folders++));
  }

  open(path: string, options: Omit<FolderStoreOptions, 'path'> = {}): FolderStore {
    const store = new FolderStore({ path, ...options });
    this.#opened.push(store);
    return store;
  }

  async closeStores(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((it) => it.close()));
  }

  async stop(): Promise<void> {
    await this.closeStores();
    if (this.#root !== undefined) await rm(this.#root, { recursive: true, force: true });
  }
}

export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name));
}

/** What the files take, in blocks of 4 KiB. */
export async function roomIn(folder: string): Promise<number> {
  const sizes = (await filesIn(folder)).map(
    async (file) => (await stat(file).catch(() => ({ size: 0 }))).size,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + Math.ceil(size / 4_096) * 4_096, 0);
}

export async function read(store: FolderStore, key: string): Promise<Buffer | undefined> {
  const found = await store.get(key);
  return found === undefined || found === 'not-modified' ? undefined : buffer(found.body);
}
