import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { SustainedLimit } from './sustained-limit.js';

/** Limits of `ProcessVitals`; see `HealthOptionsInput` for the defaults. */
export interface VitalsLimits {
  readonly loopDelayLimitMs: number;
  readonly heapLimitBytes?: number | undefined;
  readonly heapLimitRatio: number;
  readonly livenessHoldMs: number;
  readonly sampleIntervalMs: number;
}

/** One look at the process. */
export interface VitalsReading {
  /** The longest delay of the event loop since the last reading, milliseconds. */
  readonly loopDelayMs: number;
  /** Used heap as a share of its limit, garbage included: for a while it may be above 1. (`heapTotal` says nothing: it grows on demand.) */
  readonly heapRatio: number;
}

/** Measures the process itself. It looks at nothing outside, so that liveness can rest on it. */
export class ProcessVitals {
  readonly #sampleIntervalMs: number;
  readonly #heapLimitBytes: number;
  readonly #loop: SustainedLimit;
  readonly #heap: SustainedLimit;
  #delays: ReturnType<typeof monitorEventLoopDelay> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #last: (VitalsReading & { readonly atMs: number }) | undefined;

  constructor(limits: VitalsLimits) {
    this.#sampleIntervalMs = limits.sampleIntervalMs;
    this.#heapLimitBytes = limits.heapLimitBytes ?? getHeapStatistics().heap_size_limit;
    this.#loop = new SustainedLimit(limits.loopDelayLimitMs, limits.livenessHoldMs);
    this.#heap = new SustainedLimit(limits.heapLimitRatio, limits.livenessHoldMs);
  }

  get loopStalled(): boolean {
    return this.#loop.exceeded;
  }

  get heapExhausted(): boolean {
    return this.#heap.exceeded;
  }

  /** The last reading with its monotonic time; undefined before the first one. */
  get last(): (VitalsReading & { readonly atMs: number }) | undefined {
    return this.#last;
  }

  /** Measures from now on, without keeping the process alive. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#delays = monitorEventLoopDelay({ resolution: 20 });
    this.#delays.enable();
    this.sample(this.#read(), performance.now());
    this.#timer = setInterval(
      () => this.sample(this.#read(), performance.now()),
      this.#sampleIntervalMs,
    ).unref();
  }

  /** Ends the measuring. */
  stop(): void {
    clearInterval(this.#timer);
    this.#delays?.disable();
  }

  /** Takes a reading made at the monotonic time `atMs`. */
  sample(reading: VitalsReading, atMs: number): void {
    this.#loop.sample(reading.loopDelayMs, atMs);
    this.#heap.sample(reading.heapRatio, atMs);
    this.#last = { ...reading, atMs };
  }

  #read(): VitalsReading {
    // The histogram counts nanoseconds and holds 0 as its maximum before the first tick.
    const loopDelayMs = (this.#delays?.max ?? 0) / 1e6;
    this.#delays?.reset();
    return { loopDelayMs, heapRatio: getHeapStatistics().used_heap_size / this.#heapLimitBytes };
  }
}
