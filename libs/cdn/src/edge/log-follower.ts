import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { CdnEdgeLogError } from '../cdn.errors.js';
import { FollowedFile, type OnLine } from './followed-file.js';

/** How long a file that was rotated is read on: servers change to the new one a process after the other. */
const READ_ON_MS = 10_000;

/**
 * Reads what is added to a file, also when it is rotated by another name, made anew, or cut to nothing. Holds one chunk
 * and a line of each file, however much is written.
 */
export class LogFollower {
  #current: FollowedFile | undefined;
  #previous: FollowedFile | undefined;
  #changedAtMs = 0;
  #isFirst = true;
  #running: Promise<void> | undefined;

  constructor(
    private readonly path: string,
    private readonly onLine: OnLine,
  ) {}

  /**
   * Reads all that has come since the last time. What stands in the file before the first time is left out. Two calls at
   * once share one pass. A file that does not exist is waited for.
   *
   * @throws {CdnEdgeLogError} when it cannot be read, or is no file
   */
  poll(): Promise<void> {
    this.#running ??= this.#poll().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** To be called once, after the last `poll`. */
  async close(): Promise<void> {
    // Whoever called `poll` has the error.
    await this.#running?.catch(() => undefined);
    for (const file of [this.#previous, this.#current]) await file?.close();
    [this.#previous, this.#current] = [undefined, undefined];
  }

  async #poll(): Promise<void> {
    try {
      await this.#previous?.readOn();
      if (performance.now() - this.#changedAtMs > READ_ON_MS) await this.#leavePrevious();
      await this.#current?.readOn();
      const stats = await this.#statOfPath();
      // Without a file of that name the old one is still written to.
      if (stats && !this.#current?.is(stats)) await this.#change();
      this.#isFirst = false;
    } catch (cause) {
      throw cause instanceof CdnEdgeLogError ? cause : new CdnEdgeLogError(this.path, { cause });
    }
  }

  async #statOfPath(): Promise<BigIntStats | undefined> {
    try {
      return await stat(this.path, { bigint: true });
    } catch (error) {
      // Between the two steps of a rotation there is none.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #change(): Promise<void> {
    const next = await FollowedFile.open(this.path, this.onLine);
    if (!next) throw new CdnEdgeLogError(this.path);
    await this.#leavePrevious();
    this.#previous = this.#current;
    this.#current = next;
    this.#changedAtMs = performance.now();
    if (this.#isFirst) next.skip();
    else await next.readOn();
  }

  async #leavePrevious(): Promise<void> {
    await this.#previous?.close();
    this.#previous = undefined;
  }
}
