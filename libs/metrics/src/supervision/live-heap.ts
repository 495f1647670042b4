import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** What Node adds to entries of the type `gc`. */
type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

/**
 * The heap that is in use, without garbage: what is left after the latest major collection. Used heap alone says little,
 * since V8 lets garbage grow far before it collects.
 */
export class LiveHeap {
  #bytes: number | undefined;
  #collectedAtMs: number | undefined;
  readonly #observer = new PerformanceObserver((list) => {
    const isMajor = ({ detail }: GcEntry) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    if ((list.getEntries() as GcEntry[]).some(isMajor)) this.read();
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Bytes; undefined before the first major collection. A little above the truth: it is read shortly after the collection. */
  get bytes(): number | undefined {
    return this.#bytes;
  }

  /** Monotonic, milliseconds; undefined before the first. */
  get collectedAtMs(): number | undefined {
    return this.#collectedAtMs;
  }

  /** A major collection has just ended. */
  read(): void {
    this.#bytes = getHeapStatistics().used_heap_size;
    this.#collectedAtMs = performance.now();
  }

  stop(): void {
    this.#observer.disconnect();
  }
}
