import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { heapLimitBytes } from './heap-limit.js';

/** Memory of this process against what it may use. */
export interface MemoryFigures {
  readonly rssBytes: number;
  /** The container's limit, or the machine's memory where there is none. */
  readonly limitBytes: number;
  /** rss / limit. */
  readonly usedRatio: number;
  readonly heapUsedBytes: number;
  /** What of the heap can be in use: soon above it V8 ends the process, whatever the container allows. */
  readonly heapLimitBytes: number;
  readonly heapRatio: number;
}

/** Reads the figures; a few system calls. @param heapLimit bytes */
export function readMemory(heapLimit = heapLimitBytes()): MemoryFigures {
  const heap = getHeapStatistics();
  const rssBytes = process.memoryUsage.rss();
  const limitBytes = memoryLimit(process.constrainedMemory(), totalmem());
  return {
    rssBytes,
    limitBytes,
    usedRatio: rssBytes / limitBytes,
    heapUsedBytes: heap.used_heap_size,
    heapLimitBytes: heapLimit,
    heapRatio: heap.used_heap_size / heapLimit,
  };
}

/**
 * @param constrained what Node knows of the cgroup: 0 or undefined without one, near 2^64 for one without a limit
 * @param total bytes of the machine
 */
export function memoryLimit(constrained: number | undefined, total: number): number {
  return constrained && constrained < total ? constrained : total;
}
