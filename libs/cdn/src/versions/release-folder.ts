import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Manifest, parseRelease } from './manifest.js';

/** Below the folder of the assets; begins with a dot, so that it is not served. */
const RELEASES = join('.cdn', 'releases');
const RELEASE_FILE = /^(\d{13})-([0-9a-f]{12})\.json$/;

/** A published manifest. */
export interface Release {
  readonly id: string;
  /** Since when it is the current one, milliseconds since 1970. */
  readonly publishedAtMs: number;
  readonly manifest: Manifest;
}

/** The releases of a folder of assets: one file each, the newest is the current one. */
export class ReleaseFolder {
  readonly #folder: string;

  constructor(readonly root: string) {
    this.#folder = join(root, RELEASES);
  }

  /** Changes when a release is published or removed; undefined when there is none. */
  async fingerprint(): Promise<string | undefined> {
    try {
      return (await this.#names()).join(' ') || undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The newest first. @throws {CdnManifestError} */
  async read(): Promise<Release[]> {
    const releases: Release[] = [];
    for (const name of await this.#names()) {
      const text = await readFile(join(this.#folder, name), 'utf8').catch(absent);
      // Collected since the folder was listed.
      if (text === undefined) continue;
      const { id, manifest } = parseRelease(join(this.#folder, name), text);
      releases.push({ id, manifest, publishedAtMs: Number(name.slice(0, 13)) });
    }
    return releases;
  }

  /** Makes a manifest the current one, for all readers at one moment: a rename. */
  async publish(id: string, manifest: Manifest): Promise<Release> {
    await mkdir(this.#folder, { recursive: true });
    const [newest] = await this.#names();
    // After the newest even when this machine's clock is behind the one that published it.
    const publishedAtMs = Math.max(Date.now(), newest === undefined ? 0 : Number(newest.slice(0, 13)) + 1);
    const file = join(this.#folder, `${String(publishedAtMs).padStart(13, '0')}-${id}.json`);
    await writeWhole(file, `${JSON.stringify({ version: 1, id, manifest }, null, 1)}\n`);
    return { id, manifest, publishedAtMs };
  }

  async remove({ publishedAtMs, id }: Release): Promise<void> {
    await rm(join(this.#folder, `${String(publishedAtMs).padStart(13, '0')}-${id}.json`), { force: true });
  }

  /** Names of the release files, the newest first. */
  async #names(): Promise<string[]> {
    const names = (await readdir(this.#folder)).filter((it) => RELEASE_FILE.test(it));
    return names.sort().reverse();
  }
}

/** Writes a file so that readers see the old one or the new one, never a part. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = join(dirname(path), `.cdn-draft-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(draft, content);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** Whether there is a file at the path. */
export async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(absent))?.isFile() ?? false;
}

/** For what may be missing. */
export function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}
