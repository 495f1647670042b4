/** Minutes of the three phases of a story: all is well, something is wrong, all is well again. */
export const PHASES = [20, 30, 50] as const;
/** Minutes at which the first phase, the second and the third have had time to show. */
export const LOOKS = [18, 48, 96] as const;

export type ThreeOf<T> = readonly [well: T, wrong: T, wellAgain: T];

/** Series by their selector, with a sample a minute in promtool's notation. */
export type Series = Readonly<Record<string, string>>;

/** The same value through a phase; null: no sample. */
export function gauge(...phases: ThreeOf<number | null>): string {
  return phases
    .flatMap((value, phase) => Array.from({ length: PHASES[phase] ?? 0 }, () => value ?? '_'))
    .join(' ');
}

/** Grows by so much a minute in each phase. */
export function counter(...ratesPerMinute: ThreeOf<number>): string {
  let total = 0;
  return ratesPerMinute
    .flatMap((rate, phase) => Array.from({ length: PHASES[phase] ?? 0 }, () => (total += rate)))
    .join(' ');
}

/**
 * A latency histogram: what is well took less than 100 ms, what is wrong up to a second.
 *
 * @param labels with a comma behind each
 */
export function latency(name: string, ratePerMinute: number, labels = ''): Series {
  const all = counter(ratePerMinute, ratePerMinute, ratePerMinute);
  return {
    [`${name}_bucket{${labels}le="0.1"}`]: counter(ratePerMinute, 0, ratePerMinute),
    [`${name}_bucket{${labels}le="1"}`]: all,
    [`${name}_bucket{${labels}le="+Inf"}`]: all,
    [`${name}_count{${labels}}`]: all,
  };
}
