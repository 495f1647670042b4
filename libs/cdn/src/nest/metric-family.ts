/** One value of a family. */
export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `_bucket` (cumulative, with the label `le`), `_sum` or `_count`. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** All samples of one metric name, in the shape that `@peregrine/metrics` collects. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}
