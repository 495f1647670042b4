/** A straight line through a series that some outliers do not bend, with how sure it is. */
export interface Slope {
  /** Median of the slopes between all pairs of points, by the unit of time. */
  readonly perUnit: number;
  /** Within these the slope lies in 95 of 100 cases. */
  readonly low: number;
  readonly high: number;
}

/** Of the normal distribution, two-sided 95 %. */
const Z95 = 1.96;

/**
 * The estimator of Theil and Sen, with the confidence interval by Kendall's statistic (Sen, "Estimates of the regression
 * coefficient based on Kendall's tau", JASA 1968). O(n^2 log n).
 *
 * @returns undefined of fewer than three points at different times
 */
export function theilSen(points: readonly (readonly [time: number, value: number])[]): Slope | undefined {
  const slopes = points
    .flatMap(([time, value], index) =>
      points
        .slice(index + 1)
        .flatMap(([later, then]) => (later === time ? [] : [(then - value) / (later - time)])),
    )
    .sort((a, b) => a - b);
  if (slopes.length < 3) return undefined;
  const n = points.length;
  const spread = Z95 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const at = (index: number) => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(index)))] ?? 0;
  return {
    perUnit: median(slopes),
    low: at((slopes.length - spread) / 2),
    high: at((slopes.length + spread) / 2),
  };
}

/** Of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
