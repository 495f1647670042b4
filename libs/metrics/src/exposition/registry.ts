import { type Metric, Registry } from 'prom-client';
import { type RenderedMetric } from '../http/http-instruments.js';
import { type MetricFamily } from '../metric-source.js';

/** Content type of the text exposition format, version 0.0.4. */
export const EXPOSITION_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Registers figures that live outside prom-client; `render` runs at each scrape. */
export function registerRendered(registry: Registry, name: string, render: () => RenderedMetric): void {
  // prom-client asks a registered object for nothing but its name and get(), see its lib/registry.js.
  registry.registerMetric({ name, get: render } as unknown as Metric);
}

/** The families of the sources as text, through prom-client, so that escaping and number formats are the same. */
export async function renderFamilies(
  families: readonly MetricFamily[],
  defaultLabels: Readonly<Record<string, string>>,
): Promise<string> {
  if (families.length === 0) return '';
  const registry = new Registry();
  registry.setDefaultLabels(defaultLabels);
  for (const { name, help, type, samples } of families) {
    const values = samples.map((it) => ({
      metricName: name + (it.suffix ?? ''),
      labels: { ...it.labels },
      value: it.value,
    }));
    registerRendered(registry, name, () => ({ name, help, type, values }));
  }
  return registry.metrics();
}
