import type { CacheClock, ClockTimer } from '../clock.js';
import type { NamespaceCounters } from './counters.js';
import type { RecentHitRates } from './statistics.js';

/** Time between two samples, milliseconds: a window is longer than its name by at most this. */
const SAMPLE_MS = 5_000;
const MINUTE_MS = 60_000;
const LONGEST_WINDOW_MS = 15 * MINUTE_MS;
/** Enough samples that one is always older than the longest window. */
const SLOTS = LONGEST_WINDOW_MS / SAMPLE_MS + 2;

/** Sums of one namespace at the times of the samples. */
interface Samples {
  readonly hits: Float64Array;
  readonly reads: Float64Array;
}

/** Reads that some tier answered. */
export const hitsOf = (it: NamespaceCounters) => it.memoryHits + it.redisHits + it.objectHits;
/** All reads: each looks into memory first. */
export const readsOf = (it: NamespaceCounters) => it.memoryHits + it.memoryMisses;

/**
 * Hit rates of the last 1, 5 and 15 minutes. They cost a read nothing: every 5 s the counters, which only rise, are noted
 * in a ring, and a rate is the difference between now and the sample at the start of the window. 3 KiB a namespace.
 */
export class HitRates {
  readonly #times = new Float64Array(SLOTS).fill(Number.NEGATIVE_INFINITY);
  readonly #samples = new Map<string, Samples>();
  #taken = 0;
  #timer: ClockTimer | undefined;

  /** `counters` is looked at anew each time: namespaces may be added. */
  constructor(
    private readonly counters: ReadonlyMap<string, NamespaceCounters>,
    private readonly clock: CacheClock,
  ) {}

  /** Starts the samples; the timer does not keep the process alive. Without it a sample is taken when rates are read. */
  open(): void {
    this.#timer ??= this.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#sample();
      this.open();
    }, SAMPLE_MS);
  }

  close(): void {
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Of one namespace, or of all together. O(samples). */
  recent(namespace?: string): RecentHitRates {
    const newest = this.#times[(this.#taken + SLOTS - 1) % SLOTS] as number;
    if (this.clock.now() - newest >= SAMPLE_MS) this.#sample();
    const names = namespace === undefined ? [...this.counters.keys()] : [namespace];
    return {
      oneMinute: this.#rate(names, MINUTE_MS),
      fiveMinutes: this.#rate(names, 5 * MINUTE_MS),
      fifteenMinutes: this.#rate(names, LONGEST_WINDOW_MS),
    };
  }

  #rate(names: readonly string[], windowMs: number): number | null {
    const slot = this.#slotBefore(this.clock.now() - windowMs);
    let [hits, reads] = [0, 0];
    for (const name of names) {
      const counters = this.counters.get(name);
      if (counters === undefined) continue;
      const then = slot === undefined ? undefined : this.#samples.get(name);
      hits += hitsOf(counters) - (then?.hits[slot as number] ?? 0);
      reads += readsOf(counters) - (then?.reads[slot as number] ?? 0);
    }
    return reads === 0 ? null : hits / reads;
  }

  /** The newest sample that is not newer than `time`; undefined when the process is younger. */
  #slotBefore(time: number): number | undefined {
    for (let back = 1; back <= Math.min(this.#taken, SLOTS); back++) {
      const slot = (this.#taken - back) % SLOTS;
      if ((this.#times[slot] as number) <= time) return slot;
    }
    return undefined;
  }

  #sample(): void {
    const slot = this.#taken++ % SLOTS;
    this.#times[slot] = this.clock.now();
    for (const [name, counters] of this.counters) {
      const samples = this.#samplesOf(name);
      samples.hits[slot] = hitsOf(counters);
      samples.reads[slot] = readsOf(counters);
    }
  }

  #samplesOf(name: string): Samples {
    const known = this.#samples.get(name);
    if (known !== undefined) return known;
    const samples = { hits: new Float64Array(SLOTS), reads: new Float64Array(SLOTS) };
    this.#samples.set(name, samples);
    return samples;
  }
}
