/** The part of the measured range by which a feature without any spread may differ. */
const LEAST_MARGIN = 0.05;

/** Where a model has seen samples: a tree knows nothing of what is beyond, it answers as at the border. */
export interface FeatureDomain {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/**
 * The range of every feature, and one standard deviation (5 % of the values where that is less) on both sides of it.
 * @param places of the rows that count
 */
export function domainOf(rows: Float64Array, width: number, places: Uint32Array): FeatureDomain {
  const low = new Float64Array(width);
  const high = new Float64Array(width);
  for (let feature = 0; feature < width; feature++) {
    let [least, most, sum, squares] = [Infinity, -Infinity, 0, 0];
    for (const place of places) {
      const value = rows[place * width + feature] ?? 0;
      least = Math.min(least, value);
      most = Math.max(most, value);
      sum += value;
      squares += value * value;
    }
    const mean = sum / places.length;
    const deviation = Math.sqrt(Math.max(squares / places.length - mean * mean, 0));
    const margin = Math.max(deviation, LEAST_MARGIN * Math.max(Math.abs(least), Math.abs(most)));
    low[feature] = least - margin;
    high[feature] = most + margin;
  }
  return { low, high };
}

/** What is in either. */
export function joinDomains(one: FeatureDomain, other: FeatureDomain): FeatureDomain {
  return {
    low: one.low.map((it, feature) => Math.min(it, other.low[feature] ?? it)),
    high: one.high.map((it, feature) => Math.max(it, other.high[feature] ?? it)),
  };
}

export function isWithin({ low, high }: FeatureDomain, row: Float64Array): boolean {
  for (let feature = 0; feature < row.length; feature++) {
    const value = row[feature] ?? 0;
    if (value < (low[feature] ?? 0) || value > (high[feature] ?? 0)) return false;
  }
  return true;
}
