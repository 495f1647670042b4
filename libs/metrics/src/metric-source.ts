/** One value of a family at the moment of the scrape. */
export interface MetricSample {
  /** Label values by label name. Absent means no labels. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Seconds, bytes, a ratio or a count, as the family's name says. */
  readonly value: number;
  /** In a histogram `_bucket` (cumulative, with the label `le`), `_sum` or `_count`; absent in the other types. */
  readonly suffix?: string;
}

/** All samples of one metric name. */
export interface MetricFamily {
  /** `library_noun_unit`, counters end in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

/**
 * Where figures come from. Other libraries satisfy this shape without importing it: they keep plain counters on
 * their hot paths and turn them into families only when somebody scrapes.
 */
export interface MetricSource {
  /** Unique in one process; it becomes the label `source` when collecting fails. */
  readonly name: string;
  /** Called once a scrape. May throw or reject: the scrape goes on without this source. */
  collect(): readonly MetricFamily[] | Promise<readonly MetricFamily[]>;
}
