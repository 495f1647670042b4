/** Samples, oldest first, column by column so that they go to another thread as they are. */
export interface SampleSet {
  readonly count: number;
  /** Features of a sample. */
  readonly width: number;
  readonly features: Float64Array;
  readonly plans: Uint8Array;
  readonly fallbacks: Uint8Array;
  /** One bit a plan. */
  readonly allowed: Int32Array;
  /** Natural logarithms of milliseconds. */
  readonly labels: Float64Array;
  /** How likely the plan was to be chosen. */
  readonly propensities: Float64Array;
  /** 1, less for samples of a world that has changed since. */
  readonly trusts: Float64Array;
}

export interface Sample {
  readonly features: Float64Array;
  readonly plan: number;
  readonly fallback: number;
  readonly allowed: number;
  readonly label: number;
  readonly propensity: number;
}

/** What was measured, the newest `capacity` samples of it. */
export class SampleLog {
  readonly #capacity: number;
  readonly #samples: SampleSet;
  #next = 0;
  #count = 0;

  constructor(capacity: number, width: number) {
    this.#capacity = capacity;
    this.#samples = emptySamples(capacity, width);
  }

  get count(): number {
    return this.#count;
  }

  add({ features, plan, fallback, allowed, label, propensity }: Sample): void {
    const all = this.#samples;
    const at = this.#next;
    all.features.set(features, at * all.width);
    all.plans[at] = plan;
    all.fallbacks[at] = fallback;
    all.allowed[at] = allowed;
    all.labels[at] = label;
    all.propensities[at] = propensity;
    all.trusts[at] = 1;
    this.#next = (at + 1) % this.#capacity;
    this.#count = Math.min(this.#count + 1, this.#capacity);
  }

  /**
   * The plan takes another time than it used to: its samples, but for the `newest` of them, are moved by as much and trusted less.
   * What they say of one query beside another mostly stays true.
   */
  age(plan: number, newest: number, shift: number, trust: number): void {
    const { plans, labels, trusts } = this.#samples;
    let left = newest;
    for (let back = 1; back <= this.#count; back++) {
      const at = (this.#next - back + this.#capacity) % this.#capacity;
      if (plans[at] !== plan || left-- > 0) continue;
      labels[at] = (labels[at] ?? 0) + shift;
      trusts[at] = (trusts[at] ?? 0) * trust;
    }
  }

  snapshot(): SampleSet {
    const { width } = this.#samples;
    const copy = emptySamples(this.#count, width);
    // Where the ring is full the oldest is where the next one will be.
    const oldest = this.#count < this.#capacity ? 0 : this.#next;
    for (const name of COLUMNS) {
      const size = name === 'features' ? width : 1;
      const from = this.#samples[name];
      const older = from.subarray(oldest * size, this.#count * size);
      copy[name].set(older);
      copy[name].set(from.subarray(0, oldest * size), older.length);
    }
    return copy;
  }
}

const COLUMNS = [
  'features',
  'plans',
  'fallbacks',
  'allowed',
  'labels',
  'propensities',
  'trusts',
] as const satisfies readonly (keyof SampleSet)[];

function emptySamples(count: number, width: number): SampleSet {
  return {
    count,
    width,
    features: new Float64Array(count * width),
    plans: new Uint8Array(count),
    fallbacks: new Uint8Array(count),
    allowed: new Int32Array(count),
    labels: new Float64Array(count),
    propensities: new Float64Array(count),
    trusts: new Float64Array(count),
  };
}

/** The buffers, to be handed to another thread instead of copied. */
export function buffersOf(samples: SampleSet): ArrayBuffer[] {
  return COLUMNS.map((name) => samples[name].buffer as ArrayBuffer);
}
