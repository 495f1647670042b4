/** How a page is written. `openmetrics` has exemplars; the series are the same. */
export type ExpositionFormat = 'prometheus' | 'openmetrics';

/**
 * Content types of https://prometheus.io/docs/instrumenting/exposition_formats/ and of
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 */
export const EXPOSITION_CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What a scraper wants by its `Accept` (RFC 9110, section 12.5.1): OpenMetrics when it names it and likes no text better. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  if (accept === undefined) return 'prometheus';
  const ranges = accept.split(',').map(readRange);
  const weightOf = (type: string) =>
    Math.max(0, ...ranges.filter((it) => it.type === type).map((it) => it.weight));
  const openMetrics = weightOf('application/openmetrics-text');
  return openMetrics > 0 && openMetrics >= weightOf('text/plain') ? 'openmetrics' : 'prometheus';
}

function readRange(range: string): { type: string; weight: number } {
  const [type = '', ...parameters] = range.split(';').map((it) => it.trim().toLowerCase());
  const weight = parameters.find((it) => it.startsWith('q='))?.slice(2);
  // A weight that is no number counts as none given.
  return { type, weight: weight !== undefined && /^[01](?:\.\d{0,3})?$/.test(weight) ? Number(weight) : 1 };
}
