import { type Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { MetricsProfileNotFoundError, MetricsProfileRefusedError } from '../metrics.errors.js';
import { type MemoryReading } from '../supervision/memory-reader.js';
import { capture } from './capture.js';
import { type Profile, type ProfileKind, type ProfileTrigger } from './profile.js';
import { ProfileFolder, profileId } from './profile-folder.js';
import { parseProfilerOptions, type ProfilerOptions, type ProfilerOptionsInput } from './profiler.options.js';

/** V8 builds a snapshot beside the heap and takes about as much again for it; a reserve for what goes on meanwhile. */
const SNAPSHOT_FACTOR = 2;

export interface StartProfile {
  readonly kind: ProfileKind;
  /** How long `cpu` and `heap` look. */
  readonly seconds: number;
  /** @default 'request' */
  readonly trigger?: ProfileTrigger;
}

/** Takes profiles of its own process, one at a time, into a folder with bounds. */
export class Profiler {
  readonly options: ProfilerOptions;
  readonly #logger = new Logger('Profiler');
  readonly #folder: ProfileFolder;
  readonly #stopping = new AbortController();
  #current: Profile | undefined;
  #failed: Profile | undefined;
  #running: Promise<void> = Promise.resolve();
  #endedAtMs = -Infinity;
  #breachAtMs = -Infinity;

  /** @param memory what there is, for the decision about a snapshot @throws {MetricsOptionsError} */
  constructor(
    input: ProfilerOptionsInput,
    private readonly memory: () => Pick<MemoryReading, 'rssBytes' | 'limitBytes' | 'heapUsedBytes'>,
  ) {
    this.options = parseProfilerOptions(input);
    this.#folder = new ProfileFolder(this.options.folder, this.options);
  }

  /** Begins one, and does not wait for its end. @throws {MetricsProfileRefusedError} */
  start({ kind, seconds, trigger = 'request' }: StartProfile): Profile {
    this.#assertFree(trigger);
    if (kind === 'snapshot') this.#assertRoomForSnapshot();
    const startedAt = new Date();
    const id = profileId(kind, startedAt);
    this.#current = { id, kind, state: 'running', startedAt, sizeBytes: 0, error: null };
    if (trigger === 'breach') this.#breachAtMs = performance.now();
    this.#running = this.#run(this.#current, seconds);
    return this.#current;
  }

  /** The newest first; as many as the options keep, and one that runs or has failed. */
  async list(): Promise<Profile[]> {
    const kept = await this.#folder.list();
    const own = [this.#current, this.#failed].filter((it) => it !== undefined);
    // Its file may be there a moment before it counts as done.
    return [...own, ...kept.filter(({ id }) => own.every((it) => it.id !== id))].sort((a, b) =>
      a.id < b.id ? 1 : -1,
    );
  }

  /** @throws {MetricsProfileNotFoundError} */
  async find(id: string): Promise<Profile> {
    const found = (await this.list()).find((it) => it.id === id);
    if (!found) throw new MetricsProfileNotFoundError(id);
    return found;
  }

  /** The file of one that is done. @throws {MetricsProfileNotFoundError} */
  read(id: string): Promise<{ profile: Profile; content: Readable }> {
    return this.#folder.read(id);
  }

  /** Ends the one that runs, and keeps what it has. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run({ id, kind, startedAt }: Profile, seconds: number): Promise<void> {
    this.#failed = undefined;
    try {
      const content = await capture(kind, { seconds, signal: this.#stopping.signal });
      const { sizeBytes } = await this.#folder.write(id, kind, content);
      this.#logger.log(`Profile ${id} is done: ${sizeBytes} bytes`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#failed = { id, kind, state: 'failed', startedAt, sizeBytes: 0, error: message };
      this.#logger.error(`Profile ${id} failed: ${message}`);
    } finally {
      this.#current = undefined;
      this.#endedAtMs = performance.now();
    }
  }

  #assertFree(trigger: ProfileTrigger): void {
    if (this.#current)
      throw new MetricsProfileRefusedError(
        'busy',
        `Profile ${this.#current.id} is being taken; one at a time`,
      );
    const { minIntervalMs, breachIntervalMs } = this.options;
    const freeAtMs = Math.max(
      this.#endedAtMs + minIntervalMs,
      trigger === 'breach' ? this.#breachAtMs + breachIntervalMs : -Infinity,
    );
    const waitS = Math.ceil((freeAtMs - performance.now()) / 1_000);
    if (waitS > 0)
      throw new MetricsProfileRefusedError('rate', `The next profile may begin in ${waitS} s`, waitS);
  }

  #assertRoomForSnapshot(): void {
    const { rssBytes, limitBytes, heapUsedBytes } = this.memory();
    const free = limitBytes - rssBytes;
    if (free >= heapUsedBytes * SNAPSHOT_FACTOR && heapUsedBytes * SNAPSHOT_FACTOR <= this.options.maxBytes)
      return;
    throw new MetricsProfileRefusedError(
      'memory',
      `A snapshot of ${heapUsedBytes} bytes of heap needs twice that, of ${free} bytes of memory and ` +
        `${this.options.maxBytes} bytes of files; take the kind "heap"`,
    );
  }
}
