/** Label values by label name. */
export type Labels = Readonly<Record<string, string | number>>;

/** One observation of a bucket, and where more of it is known. */
export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  /** When it was observed, seconds since 1970. */
  readonly seconds: number;
}

/** One line of the page. */
export interface PageLine {
  /** In a histogram `_bucket`, `_sum` or `_count`; absent otherwise. */
  readonly suffix?: string | undefined;
  /** The lines of one label set share this object: it becomes text once. */
  readonly labels: Labels;
  /** Upper bound of a bucket, when `labels` has none. */
  readonly le?: string | undefined;
  readonly value: number;
  /** Of a bucket; only OpenMetrics has a place for it. */
  readonly exemplar?: Exemplar | undefined;
}

/** All lines of one metric name, for one page. */
export interface PageFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
  /** Lines that must agree with each other, such as the buckets of one label set, are one group. */
  readonly groups: Iterable<readonly PageLine[]>;
}

/** A family with one line. */
export function singleValue(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: number,
): PageFamily {
  return { name, type, help, groups: [[{ labels: {}, value }]] };
}
