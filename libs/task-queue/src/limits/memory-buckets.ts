import { type BucketStore } from './bucket-store.js';
import {
  type BucketState,
  forgettableAtUs,
  giveBack,
  pause,
  take,
  type TakeAnswer,
  type TakeRequest,
} from './token-bucket.js';

interface Entry {
  readonly state: BucketState;
  readonly forgettableAtUs: number;
}

const SWEEP_INTERVAL_US = 10_000_000;

/** Buckets of this process alone. */
export class MemoryBuckets implements BucketStore {
  readonly #entries = new Map<string, Entry>();
  #sweptAtUs = 0;

  /** @param nowUs a clock that never goes back, above 0 */
  constructor(private readonly nowUs: () => number = monotonicUs) {}

  /** Buckets that are not forgotten yet. */
  get size(): number {
    return this.#entries.size;
  }

  take(bucket: string, request: TakeRequest): Promise<TakeAnswer> {
    const nowUs = this.nowUs();
    this.#sweep(nowUs);
    const { state, answer } = take(this.#entries.get(bucket)?.state, request, nowUs);
    this.#entries.set(bucket, { state, forgettableAtUs: forgettableAtUs(state, request.ratePerSecond) });
    return Promise.resolve(answer);
  }

  giveBack(bucket: string, cost: number): Promise<void> {
    const entry = this.#entries.get(bucket);
    if (entry) this.#entries.set(bucket, { ...entry, state: giveBack(entry.state, cost) });
    return Promise.resolve();
  }

  pause(bucket: string, pauseUs: number): Promise<void> {
    const nowUs = this.nowUs();
    const entry = this.#entries.get(bucket);
    const state = pause(entry?.state, pauseUs, nowUs);
    const drainUs = entry ? Math.max(0, entry.forgettableAtUs - Math.max(entry.state.atUs, nowUs)) : 0;
    this.#entries.set(bucket, { state, forgettableAtUs: state.atUs + drainUs });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }

  #sweep(nowUs: number): void {
    if (nowUs - this.#sweptAtUs < SWEEP_INTERVAL_US) return;
    this.#sweptAtUs = nowUs;
    for (const [bucket, entry] of this.#entries) {
      if (entry.forgettableAtUs <= nowUs) this.#entries.delete(bucket);
    }
  }
}

function monotonicUs(): number {
  return Math.ceil((performance.timeOrigin + performance.now()) * 1_000);
}
