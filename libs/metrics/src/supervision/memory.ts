import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** Memory of this process against what it may use. */
export interface MemoryFigures {
  readonly rssBytes: number;
  /** The container's limit, or the machine's memory where there is none. */
  readonly limitBytes: number;
  /** rss / limit. */
  readonly usedRatio: number;
  readonly heapUsedBytes: number;
  /** V8's `heap_size_limit`: crossing it ends the process, whatever the container allows. */
  readonly heapLimitBytes: number;
  readonly heapRatio: number;
}

/** Reads the figures; a few system calls. */
export function readMemory(): MemoryFigures {
  const heap = getHeapStatistics();
  const rssBytes = process.memoryUsage.rss();
  const limitBytes = memoryLimit(process.constrainedMemory(), totalmem());
  return {
    rssBytes,
    limitBytes,
    usedRatio: rssBytes / limitBytes,
    heapUsedBytes: heap.used_heap_size,
    heapLimitBytes: heap.heap_size_limit,
    heapRatio: heap.used_heap_size / heap.heap_size_limit,
  };
}

/**
 * @param constrained what Node knows of the cgroup: 0 or undefined without one, near 2^64 for one without a limit
 * @param total bytes of the machine
 */
export function memoryLimit(constrained: number | undefined, total: number): number {
  return constrained && constrained < total ? constrained : total;
}
