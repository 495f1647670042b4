import type { ManifestEntry } from './manifest.js';
import type { Release } from './release-folder.js';

/** How long files of a replaced release keep answering: pages that were opened before the switch still ask for them. */
export const DEFAULT_GRACE_MS = 14 * 86_400_000;

/** What a path means to the releases. */
export interface VersionedFile {
  /** Path below the folder, without a leading `/`. */
  readonly file: string;
  /** Whether the URL changes with the content. */
  readonly isHashed: boolean;
}

/** A shorter `?v=` could mean anything. */
const SHORTEST_VERSION = 8;

/** The releases that answer: the current one and those that were replaced within the grace period. */
export class Releases {
  readonly current: Release | undefined;
  /** The newest first. */
  readonly live: readonly Release[];
  /** Those whose time is over. */
  readonly expired: readonly Release[];
  /** When the next of the live ones expires, milliseconds since 1970. */
  readonly nextExpiryMs: number;
  readonly #files: ReadonlySet<string>;

  /** @param all the newest first */
  constructor(all: readonly Release[], graceMs: number, nowMs: number) {
    this.current = all[0];
    // A release is replaced when the next one is published.
    const expiryMs = (i: number) => (i === 0 ? Infinity : (all[i - 1]?.publishedAtMs ?? 0) + graceMs);
    const isLive = (i: number) => expiryMs(i) > nowMs;
    this.live = all.filter((_, i) => isLive(i));
    this.expired = all.filter((_, i) => !isLive(i));
    this.nextExpiryMs = Math.min(...all.map((_, i) => expiryMs(i)).filter((it) => it > nowMs));
    const entries = this.live.flatMap(({ manifest }) => Object.entries(manifest));
    this.#files = new Set(entries.filter((it) => isHashedFile(...it)).map(([, { file }]) => file));
  }

  /**
   * The file for a path, with the content that `?v=` names when a live release has it, else the current one. Undefined
   * for what no release knows.
   *
   * @param path without a leading `/`
   */
  find(path: string, version?: string): VersionedFile | undefined {
    const named = version === undefined ? undefined : this.#ofVersion(path, version);
    if (named) return { file: named.file, isHashed: true };
    const entry = this.entryOf(path);
    if (entry) return { file: entry.file, isHashed: entry.file === path && isHashedFile(path, entry) };
    return this.#files.has(path) ? { file: path, isHashed: true } : undefined;
  }

  /** Of the current release. */
  entryOf(path: string): ManifestEntry | undefined {
    const manifest = this.current?.manifest;
    return manifest && Object.hasOwn(manifest, path) ? manifest[path] : undefined;
  }

  #ofVersion(path: string, version: string): ManifestEntry | undefined {
    if (version.length < SHORTEST_VERSION) return undefined;
    for (const { manifest } of this.live) {
      const entry = Object.hasOwn(manifest, path) ? manifest[path] : undefined;
      if (entry?.hash?.startsWith(version)) return entry;
    }
    return undefined;
  }
}

/** Whether the name of the delivered file changes with the content. */
export function isHashedFile(source: string, { file, isHashed }: ManifestEntry): boolean {
  return file !== source || isHashed === true;
}
