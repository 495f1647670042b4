/**
 * The value below which the share `q` of the samples lies, linear between neighbours (type 7 of Hyndman and Fan,
 * "Sample Quantiles in Statistical Packages", 1996).
 *
 * @param q from 0 to 1
 * @returns NaN without samples
 */
export function quantile(samples: readonly number[], q: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** @returns NaN without samples */
export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** The medians of every field over the repetitions; a field that one of them lacks is left out. */
export function mediansOf<Field extends string>(
  repetitions: readonly Partial<Readonly<Record<Field, number>>>[],
): Partial<Record<Field, number>> {
  const fields = Object.keys(repetitions[0] ?? {}) as Field[];
  const medians: Partial<Record<Field, number>> = {};
  for (const field of fields) {
    const samples = repetitions.map((it) => it[field]).filter((it) => it !== undefined);
    if (samples.length === repetitions.length) medians[field] = median(samples);
  }
  return medians;
}
