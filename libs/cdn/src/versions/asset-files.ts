import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CdnBuildError } from '../cdn.errors.js';
import { NEIGHBOUR_ENDINGS } from '../origin/coded-content.js';
import { type Manifest, parseManifest } from './manifest.js';
import { absent } from './release-folder.js';

/** Hex digits of a hash in names and in `?v=`: 48 bits, where a collision is found before it does harm. */
const HASH_LENGTH = 12;
const VITE_MANIFESTS = [join('.vite', 'manifest.json'), 'manifest.json'];

/** The files of a folder that are assets, by path with `/`, sorted. Dotfiles and compressed neighbours are none. */
export async function listAssets(folder: string): Promise<string[]> {
  const paths: string[] = [];
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await walk(path);
      // A link could lead anywhere.
      else if (entry.isFile()) paths.push(path);
    }
  };
  try {
    await walk('');
  } catch (cause) {
    throw new CdnBuildError(`the folder "${folder}" can not be read (${(cause as Error).message})`, {
      cause,
    });
  }
  const all = new Set(paths);
  const isNeighbour = (path: string) =>
    Object.values(NEIGHBOUR_ENDINGS).some((it) => path.endsWith(it) && all.has(path.slice(0, -it.length)));
  return paths.filter((it) => !isNeighbour(it)).sort();
}

/** The manifest that Vite left in its output; undefined when there is none. @throws {CdnManifestError} */
export async function readViteManifest(folder: string): Promise<Manifest | undefined> {
  for (const name of VITE_MANIFESTS) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8').catch(absent);
    if (text === undefined) continue;
    // Of the second name there is also the manifest of a web application, which says other things.
    if (name === 'manifest.json' && !text.includes('"file"')) continue;
    return parseManifest(path, text);
  }
  return undefined;
}

/** What versions a content. */
export interface ContentHash {
  /** Start of the SHA-256, hex. */
  readonly hash: string;
  /** For `integrity` of a script or stylesheet (SRI). */
  readonly integrity: string;
}

export function hashContent(content: Uint8Array): ContentHash {
  return {
    hash: createHash('sha256').update(content).digest('hex').slice(0, HASH_LENGTH),
    integrity: `sha384-${createHash('sha384').update(content).digest('base64')}`,
  };
}

/** `assets/app.min.js` becomes `assets/app.min.3f2a1b9c4d5e.js`. */
export function hashedNameOf(path: string, hash: string): string {
  const slash = path.lastIndexOf('/') + 1;
  const dot = path.lastIndexOf('.');
  // Without an extension, the hash is told from the name by the dot all the same.
  return dot <= slash ? `${path}.${hash}` : `${path.slice(0, dot)}.${hash}${path.slice(dot)}`;
}
