import { createHash } from 'node:crypto';
import { opendir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KEPT_PREFIX } from '../object-store.js';

/** Where an object lives: its hash, and the tree it is in. */
export interface FileAddress {
  /** Unique over both trees, since the key decides on the tree. */
  readonly id: string;
  readonly kept: boolean;
}

const FILE = /^[0-9a-f]{40}$/;
const DIGITS = '0123456789abcdef'.split('');

const isMissing = (error: unknown) => {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
};

/**
 * `<root>/objects/a/bc/abc…` and `<root>/kept/a/bc/abc…`: the name is the beginning of the SHA-256 of the key, so that
 * no key can lead out of the folder; 4,096 folders a tree. `<root>/tmp/` has what is being written.
 */
export class FolderLayout {
  readonly temporary: string;

  constructor(readonly root: string) {
    this.temporary = join(root, 'tmp');
  }

  address(key: string): FileAddress {
    const id = createHash('sha256').update(key).digest('hex').slice(0, 40);
    return { id, kept: key.startsWith(KEPT_PREFIX) };
  }

  folder({ id, kept }: FileAddress): string {
    return join(this.root, kept ? 'kept' : 'objects', id.slice(0, 1), id.slice(1, 3));
  }

  path(address: FileAddress): string {
    return join(this.folder(address), address.id);
  }

  /** From the folder of the file up to the root. */
  foldersAbove(address: FileAddress): string[] {
    const folder = this.folder(address);
    const first = dirname(folder);
    return [folder, first, dirname(first), this.root];
  }

  /** Every object of a tree; files with other names are not ours. */
  async *files(kept: boolean): AsyncGenerator<FileAddress, void, undefined> {
    const tree = join(this.root, kept ? 'kept' : 'objects');
    for (const first of DIGITS) {
      for (const second of await namesIn(join(tree, first))) {
        for (const id of await namesIn(join(tree, first, second))) {
          if (FILE.test(id) && id.startsWith(first + second)) yield { id, kept };
        }
      }
    }
  }

  async *temporaryFiles(): AsyncGenerator<string, void, undefined> {
    try {
      for await (const { name } of await opendir(this.temporary)) yield name;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
