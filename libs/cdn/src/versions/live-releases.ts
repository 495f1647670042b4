import { ReleaseFolder, type Release } from './release-folder.js';
import { Releases } from './releases.js';

/** Follows the releases of a folder: what another process publishes is seen within `revalidateMs`. */
export class LiveReleases {
  /** What kept the newest releases from being read; the ones from before hold until it is mended. */
  lastError: Error | undefined;
  readonly #folder: ReleaseFolder;
  #all: readonly Release[] = [];
  #releases: Releases;
  #fingerprint: string | undefined;
  #lookedAtMs = -Infinity;
  #looking: Promise<Releases> | undefined;

  constructor(
    root: string,
    private readonly options: {
      readonly graceMs: number;
      readonly revalidateMs: number;
      /** Told once of each fault that keeps releases from being read. */
      readonly onError?: (error: Error) => void;
    },
  ) {
    this.#folder = new ReleaseFolder(root);
    this.#releases = new Releases([], options.graceMs, 0);
  }

  /** As they were known last. */
  get known(): Releases {
    return this.#releases;
  }

  /** Reads them at the start. @throws {CdnManifestError} when one does not parse */
  async open(): Promise<Releases> {
    const releases = await this.refresh();
    if (this.lastError) throw this.lastError;
    return releases;
  }

  /** Looks for new ones when it is time to. The same object as before when nothing changed. */
  refresh(): Releases | Promise<Releases> {
    if (Date.now() - this.#lookedAtMs < this.options.revalidateMs) return this.#releases;
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  async #look(): Promise<Releases> {
    const nowMs = Date.now();
    try {
      const fingerprint = await this.#folder.fingerprint();
      if (fingerprint !== this.#fingerprint) {
        this.#all = fingerprint === undefined ? [] : await this.#folder.read();
        this.#fingerprint = fingerprint;
        this.#releases = new Releases(this.#all, this.options.graceMs, nowMs);
      } else if (nowMs >= this.#releases.nextExpiryMs) {
        this.#releases = new Releases(this.#all, this.options.graceMs, nowMs);
      }
      this.lastError = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.lastError?.message) this.options.onError?.(error as Error);
      this.lastError = error as Error;
    }
    this.#lookedAtMs = nowMs;
    return this.#releases;
  }
}
