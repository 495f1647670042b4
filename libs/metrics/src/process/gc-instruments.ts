import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { type PageFamily, type PageLine } from '../exposition/page-family.js';
import { HistogramRows } from '../http/histogram-rows.js';
import { METRIC_NAMES } from '../metrics.tokens.js';

/** What Node adds to entries of the type `gc`. */
type GcEntry = PerformanceEntry & { readonly detail: { readonly kind: number } };

/** Upper bounds of the buckets, seconds. */
const GC_BUCKETS_SECONDS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** The label `kind`, by Node's number. */
const KINDS = [
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
] as const;

/** Pauses of the garbage collector by kind. Counts every pause: Node hands several at once to its observers. */
export class GcInstruments {
  readonly #rows = new HistogramRows(GC_BUCKETS_SECONDS);
  readonly #observer = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as GcEntry[]) {
      this.observe(detail.kind, duration / 1_000);
    }
  });

  constructor() {
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Counts one pause. A kind that this version does not know is left out. */
  observe(kind: number, seconds: number): void {
    const row = KINDS.findIndex(([number]) => number === kind);
    if (row >= 0) this.#rows.observe(row, seconds);
  }

  family(): PageFamily {
    const groups: PageLine[][] = KINDS.map(([, kind], row) => this.#rows.lines(row, { kind }) ?? []);
    return {
      name: METRIC_NAMES.gcDuration,
      help: 'Pauses of the garbage collector, seconds',
      type: 'histogram',
      groups,
    };
  }

  stop(): void {
    this.#observer.disconnect();
  }
}
