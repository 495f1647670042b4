import { type MetricFamily } from '@peregrine/query-optimizer';

/** Counts of values by fixed bounds, each up to and with its bound. */
export class Histogram {
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds in rising order */
  constructor(private readonly bounds: readonly number[]) {
    this.#counts = new Float64Array(bounds.length + 1);
  }

  add(value: number): void {
    const at = this.bounds.findIndex((bound) => value <= bound);
    const place = at < 0 ? this.bounds.length : at;
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#sum += value;
  }

  family(name: string, help: string): MetricFamily {
    let count = 0;
    const buckets = [...this.bounds, '+Inf'].map((bound, at) => {
      count += this.#counts[at] ?? 0;
      return { suffix: '_bucket', labels: { le: String(bound) }, value: count } as const;
    });
    const totals = [
      { suffix: '_sum', value: this.#sum },
      { suffix: '_count', value: count },
    ] as const;
    return { name, help, type: 'histogram', samples: [...buckets, ...totals] };
  }
}
