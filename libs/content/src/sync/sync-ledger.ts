import { type SyncCounts, type SyncProblem } from './storage-sync.entity.js';
import type { Attempt, SyncEntry, SyncStore } from './sync.store.js';

/** How many problems are named; all are counted. */
const NAMED_PROBLEMS = 100;
const ENTRIES_PER_CHECKPOINT = 100;
const CHECKPOINT_INTERVAL_MS = 1_000;

/** What one attempt has done, and when it is written down. */
export class SyncLedger {
  readonly counts: SyncCounts = {
    ...{ seen: 0, copied: 0, copiedBytes: 0, deleted: 0 },
    ...{ equal: 0, extra: 0, conflicts: 0, skipped: 0 },
  };
  readonly #problems: SyncProblem[] = [];
  #entries: SyncEntry[] = [];
  #removed: string[] = [];
  #writtenAt = performance.now();
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param options.isDry whether the entries are forgotten: nothing is in step that was not before
   * @param options.onProgress is told what was written
   */
  constructor(
    private readonly store: SyncStore,
    private readonly attempt: Attempt,
    private readonly options: { isDry: boolean; onProgress: (counts: SyncCounts) => Promise<void> },
  ) {}

  problem(kind: SyncProblem['kind'], path: string, reason: string): void {
    this.counts[kind === 'conflict' ? 'conflicts' : 'skipped']++;
    if (this.#problems.length < NAMED_PROBLEMS) this.#problems.push({ path, kind, reason });
  }

  inStep(entry: SyncEntry): void {
    if (!this.options.isDry) this.#entries.push(entry);
  }

  gone(path: string): void {
    if (!this.options.isDry) this.#removed.push(path);
  }

  /** Writes when there is enough to write, or when the last time was long ago. */
  async checkpointWhenDue(): Promise<void> {
    const pending = this.#entries.length + this.#removed.length;
    const isLate = performance.now() - this.#writtenAt > CHECKPOINT_INTERVAL_MS;
    if (pending >= ENTRIES_PER_CHECKPOINT || isLate) await this.checkpoint();
  }

  /** @throws {SyncOvertakenError} */
  checkpoint(): Promise<void> {
    this.#writtenAt = performance.now();
    const entries = this.#entries;
    const removed = this.#removed;
    this.#entries = [];
    this.#removed = [];
    // One after the other: the later has the higher counts.
    this.#writing = this.#writing.then(async () => {
      const counts = { ...this.counts };
      await this.store.checkpoint(this.attempt, { counts, problems: this.#problems, entries, removed });
      await this.options.onProgress(counts);
    });
    return this.#writing;
  }
}
