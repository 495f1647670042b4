import type { BigIntStats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { NEIGHBOUR_ENDINGS } from './coded-content.js';
import type { Releases } from '../versions/releases.js';
import type { OriginOptions } from './origin.options.js';

/** What stands at a path. */
export type Located =
  | { readonly kind: 'file'; readonly file: LocatedFile }
  /** A folder, asked for without the `/` at its end. */
  | { readonly kind: 'folder' }
  | { readonly kind: 'missing'; readonly fault?: string }
  /** It may not be read, or a rule is against it. */
  | { readonly kind: 'forbidden' };

/** A regular file inside of the root. */
export interface LocatedFile {
  /** Path in the root that decides type and policy: of the index file when a folder was asked for. */
  readonly path: string;
  /** Where it lies, without links. */
  readonly realPath: string;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  /** Whether the URL changes with the content; undefined where no release knows the file. */
  readonly isHashed?: boolean;
  /** Changes when the file does. */
  readonly fingerprint: string;
}

const MISSING: Located = { kind: 'missing' };
const FORBIDDEN: Located = { kind: 'forbidden' };
/** Of paths that can not be: as good as nothing there. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'EINVAL']);
const DENIED = new Set(['EACCES', 'EPERM']);

type LocatorOptions = Pick<
  OriginOptions,
  'root' | 'index' | 'extensions' | 'dotfiles' | 'redirect' | 'compression'
>;

/** Where to look, beside the path. */
export interface LocateContext {
  readonly releases: Releases;
  /** What `?v=` of the request says. */
  readonly version?: string;
}

/** Finds the file for a canonical path, and never one outside of the root. */
export class FileLocator {
  constructor(private readonly options: LocatorOptions) {}

  /** @param path decoded and canonical, begins with `/` */
  async locate(path: string, context: LocateContext): Promise<Located> {
    const { dotfiles } = this.options;
    if (dotfiles !== 'allow' && path.includes('/.')) return dotfiles === 'deny' ? FORBIDDEN : MISSING;
    if (path.endsWith('/')) return this.#locateIndex(path, context);
    const found = await this.#look(path, context);
    if (found.kind === 'folder') return this.options.redirect ? found : MISSING;
    if (found.kind === 'file') return (await this.#isNeighbour(path, context)) ? MISSING : found;
    if (found.kind !== 'missing') return found;
    return this.#tryEach(
      this.options.extensions.map((it) => `${path}.${it}`),
      context,
    );
  }

  #locateIndex(folder: string, context: LocateContext): Promise<Located> {
    return this.#tryEach(
      this.options.index.map((it) => folder + it),
      context,
    );
  }

  async #tryEach(paths: readonly string[], context: LocateContext): Promise<Located> {
    let missing = MISSING;
    for (const path of paths) {
      const found = await this.#look(path, context);
      if (found.kind === 'file' || found.kind === 'forbidden') return found;
      if (found.kind === 'missing') missing = found;
    }
    return missing;
  }

  /** The compressed form of a file is no resource of its own: it would be a second name for the same content. */
  async #isNeighbour(path: string, context: LocateContext): Promise<boolean> {
    if (!this.options.compression.precompressed) return false;
    const ending = Object.values(NEIGHBOUR_ENDINGS).find((it) => path.endsWith(it));
    if (ending === undefined) return false;
    const base = path.slice(0, -ending.length);
    return !base.endsWith('/') && (await this.#look(base, context)).kind === 'file';
  }

  async #look(path: string, { releases, version }: LocateContext): Promise<Located> {
    const versioned = releases.find(path.slice(1), version);
    try {
      const fullPath = join(this.options.root, versioned?.file ?? path);
      const stats = await stat(fullPath, { bigint: true });
      // Both anew each time: a root that is a link may be switched to the next release.
      const root = await realpath(this.options.root);
      const realPath = await realpath(fullPath);
      const inside = root.endsWith(sep) ? root : root + sep;
      if (realPath !== root && !realPath.startsWith(inside)) return MISSING;
      if (stats.isDirectory()) return { kind: 'folder' };
      // Reading a pipe or a device would hang.
      if (!stats.isFile()) return MISSING;
      const isHashed = versioned && { isHashed: versioned.isHashed };
      return { kind: 'file', file: { ...describeFile(path, realPath, stats), ...isHashed } };
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (ABSENT.has(code)) return { kind: 'missing', fault: code };
      if (DENIED.has(code)) return FORBIDDEN;
      throw error;
    }
  }
}

/** The facts by which a file is known again. */
export function describeFile(path: string, realPath: string, stats: BigIntStats): LocatedFile {
  return {
    path,
    realPath,
    sizeBytes: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    fingerprint: `${stats.dev}-${stats.ino}-${stats.size}-${stats.mtimeNs}-${stats.ctimeNs}`,
  };
}
