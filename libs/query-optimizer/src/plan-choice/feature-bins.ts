/** So that a bin is a byte, and the sums of one feature stay in the processor's cache. */
export const MAX_BINS = 64;

/** Values by rank: up to 64 bins a feature, with about as many of the rows in each. A higher value never has a lower bin. */
export class FeatureBins {
  /** Ascending, by feature: a value above the last one is in the last bin. */
  readonly edges: readonly Float64Array[];
  readonly #width: number;

  /** @param rows `width` values each */
  constructor(rows: Float64Array, width: number) {
    this.#width = width;
    const count = rows.length / width;
    const column = new Float64Array(count);
    this.edges = Array.from({ length: width }, (_, feature) => {
      for (let row = 0; row < count; row++) column[row] = rows[row * width + feature] ?? 0;
      return edgesOf(column.sort());
    });
  }

  binOf(feature: number, value: number): number {
    const edges = this.edges[feature] ?? new Float64Array();
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value > (edges[middle] ?? 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param places of the rows that are wanted @returns one feature after the other */
  binned(rows: Float64Array, places: Uint32Array): Uint8Array {
    const bins = new Uint8Array(places.length * this.#width);
    for (let feature = 0; feature < this.#width; feature++) {
      const start = feature * places.length;
      places.forEach((place, at) => {
        bins[start + at] = this.binOf(feature, rows[place * this.#width + feature] ?? 0);
      });
    }
    return bins;
  }
}

function edgesOf(sorted: Float64Array): Float64Array {
  const edges: number[] = [];
  const distinct = sorted.filter((value, at) => at === 0 || value !== sorted[at - 1]);
  const values = distinct.length <= MAX_BINS ? distinct : sorted;
  const bins = Math.min(values.length, MAX_BINS);
  for (let bin = 1; bin < bins; bin++) {
    const at = Math.floor((bin * values.length) / bins);
    const edge = edgeBetween(values[at - 1] ?? 0, values[at] ?? 0);
    if (edge !== undefined && edge > (edges.at(-1) ?? -Infinity)) edges.push(edge);
  }
  return Float64Array.from(edges);
}

/** In the middle, with few digits, since it is sent and stored as text. */
function edgeBetween(low: number, high: number): number | undefined {
  if (low === high) return undefined;
  const middle = Number(((low + high) / 2).toPrecision(6));
  return middle >= low && middle < high ? middle : low;
}
