import { type MetricFamily, type MetricSource, type MetricsService } from '@peregrine/metrics';

/**
 * One figure of a source that may not be there: parts of the platform that are switched off, or not installed, have none.
 * All samples of the family together, or those with certain labels.
 */
export async function registeredFigure(
  metrics: Pick<MetricsService, 'source'>,
  source: string,
  family: string,
  isMeant: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): Promise<number | undefined> {
  const families = await collected(metrics.source(source));
  const samples = families?.find(({ name }) => name === family)?.samples;
  return samples?.filter(({ labels = {} }) => isMeant(labels)).reduce((sum, { value }) => sum + value, 0);
}

/** A source that fails has no figure here, and takes no other one with it; the scrape logs and counts it. */
async function collected(source: MetricSource | undefined): Promise<readonly MetricFamily[] | undefined> {
  try {
    return await source?.collect();
  } catch {
    return undefined;
  }
}
