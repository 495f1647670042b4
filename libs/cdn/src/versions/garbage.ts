import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NEIGHBOUR_ENDINGS } from '../origin/coded-content.js';
import type { ReleaseFolder } from './release-folder.js';
import { isHashedFile, Releases } from './releases.js';

/**
 * Removes releases whose grace period is over, and the hashed files that no live release has.
 *
 * @param isInPlace the folder is the bundler's own: only copies that a build made are removed
 * @returns the number of files removed, compressed neighbours not counted
 */
export async function collectGarbage(
  folder: ReleaseFolder,
  graceMs: number,
  { isInPlace }: { isInPlace: boolean },
): Promise<number> {
  const { live, expired } = new Releases(await folder.read(), graceMs, Date.now());
  const hashedFilesOf = ({ manifest }: (typeof live)[number]) =>
    Object.entries(manifest)
      .filter(([source, entry]) => (isInPlace ? entry.file !== source : isHashedFile(source, entry)))
      .map(([, { file }]) => file);
  const needed = new Set(live.flatMap(hashedFilesOf));
  const unneeded = new Set(expired.flatMap(hashedFilesOf).filter((it) => !needed.has(it)));
  for (const file of unneeded) {
    for (const ending of ['', ...Object.values(NEIGHBOUR_ENDINGS)]) {
      await rm(join(folder.root, file + ending), { force: true });
    }
  }
  // Last, so that what an interruption left is found again.
  for (const release of expired) await folder.remove(release);
  return unneeded.size;
}
