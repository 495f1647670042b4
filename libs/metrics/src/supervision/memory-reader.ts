import { readCgroup } from '../process/cgroup.js';
import { heapLimitBytes } from './heap-limit.js';
import { LiveHeap } from './live-heap.js';
import { readMemory } from './memory.js';

/** How near the process is to what ends it. */
export interface MemoryReading {
  readonly rssBytes: number;
  readonly limitBytes: number;
  readonly rssRatio: number;
  /** After the latest major collection; before the first one, all that is used. */
  readonly heapBytes: number;
  /** With garbage. */
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  readonly heapRatio: number;
}

/** How often the limit is read anew: a container may be resized, milliseconds. */
const LIMIT_EVERY_MS = 30_000;

/**
 * RSS against the lowest limit of the control groups, and the live heap against what V8 allows. RSS and not what the group
 * uses: that has the page cache, which the kernel takes back by itself, and other processes, which this one cannot help.
 * RSS still counts files that are mapped, the program itself for the most part: it errs by some 50 MB on the safe side.
 */
export class MemoryReader {
  readonly heap = new LiveHeap();
  #groupLimit: number | undefined;
  #readAtMs: number | undefined;

  /**
   * @param limitBytes in place of the control group's
   * @param heapLimit bytes
   */
  constructor(
    private readonly limitBytes?: number,
    private readonly heapLimit = heapLimitBytes(),
  ) {}

  /** Reads the control group when it is time; {@link read} uses what it found. Never rejects. */
  async refresh(nowMs: number): Promise<void> {
    if (this.limitBytes !== undefined) return;
    if (this.#readAtMs !== undefined && nowMs - this.#readAtMs < LIMIT_EVERY_MS) return;
    this.#readAtMs = nowMs;
    const { memoryLimitBytes, memoryHighBytes } = await readCgroup();
    const limits = [memoryLimitBytes, memoryHighBytes].filter((it) => it !== undefined);
    this.#groupLimit = limits.length === 0 ? undefined : Math.min(...limits);
  }

  read(): MemoryReading {
    const { rssBytes, limitBytes, heapUsedBytes } = readMemory(this.heapLimit);
    const limit = this.limitBytes ?? Math.min(limitBytes, this.#groupLimit ?? Infinity);
    const heapBytes = Math.min(heapUsedBytes, this.heap.bytes ?? Infinity);
    return {
      rssBytes,
      limitBytes: limit,
      rssRatio: rssBytes / limit,
      heapBytes,
      heapUsedBytes,
      heapLimitBytes: this.heapLimit,
      heapRatio: heapBytes / this.heapLimit,
    };
  }

  stop(): void {
    this.heap.stop();
  }
}
