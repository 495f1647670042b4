import { type MetricsService } from '@peregrine/metrics';

/**
 * One figure of a source that may not be there: parts of the platform that are switched off, or not installed, have none.
 * All samples of the family together.
 */
export async function registeredFigure(
  metrics: Pick<MetricsService, 'source'>,
  source: string,
  family: string,
): Promise<number | undefined> {
  const families = await metrics.source(source)?.collect();
  const samples = families?.find(({ name }) => name === family)?.samples;
  return samples?.reduce((sum, { value }) => sum + value, 0);
}
