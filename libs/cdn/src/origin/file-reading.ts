import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { describeFile, type LocatedFile } from './file-locator.js';

/** How often a file is read anew that changes while it is read. */
const MOST_READS = 3;
/** Neither a link put in place of the file is followed, nor a pipe waited for; Windows knows neither flag. */
const FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** An open file, and what is known of exactly this one. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly file: LocatedFile;
}

/** Opens what was located; the caller closes the handle. */
export async function openFile({
  path,
  realPath,
}: Pick<LocatedFile, 'path' | 'realPath'>): Promise<OpenedFile> {
  const handle = await open(realPath, FLAGS);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile())
      throw Object.assign(new Error(`"${realPath}" is no regular file`), { code: 'ENOENT' });
    return { handle, file: describeFile(path, realPath, stats) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The whole content, of one moment: a file that is being written is read again. */
export async function readWholeFile(located: LocatedFile): Promise<{ bytes: Buffer; file: LocatedFile }> {
  for (let read = 1; ; read++) {
    const { handle, file } = await openFile(located);
    try {
      const bytes = await handle.readFile();
      const after = describeFile(file.path, file.realPath, await handle.stat({ bigint: true }));
      // Who writes all the time gets what was read last; it is looked at again soon.
      if (after.fingerprint === file.fingerprint || read === MOST_READS) return { bytes, file };
    } finally {
      await handle.close();
    }
  }
}
