/** How Grafana writes the values of a panel. */
export type Unit = 's' | 'bytes' | 'percentunit' | 'reqps' | 'ops' | 'short' | 'none';

export interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** What a person reads from it. */
  readonly description?: string;
  readonly queries: readonly PanelQuery[];
}

export interface PanelQuery {
  /** PromQL; Grafana puts an interval that fits the picture for `$__rate_interval`. */
  readonly expression: string;
  /** Of each series; `{{label}}` is replaced. */
  readonly legend: string;
}

export interface Dashboard {
  /** Part of its address and of its file's name. */
  readonly id: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A panel with one query. */
export function panel(title: string, unit: Unit, expression: string, legend: string): Panel {
  return { title, unit, queries: [{ expression, legend }] };
}

/** A panel with the median, the 95th and the 99th percentile of a histogram of seconds. */
export function percentilesPanel(title: string, histogram: string, matchers = ''): Panel {
  const buckets = `sum by (le) (rate(${histogram}_bucket${matchers}[$__rate_interval]))`;
  const query = (share: number, legend: string): PanelQuery => ({
    expression: `histogram_quantile(${share}, ${buckets})`,
    legend,
  });
  return { title, unit: 's', queries: [query(0.5, 'p50'), query(0.95, 'p95'), query(0.99, 'p99')] };
}
