import { type CacheFigures, type SavingsFigures } from '@peregrine/console';
import { type MetricsService } from '@peregrine/metrics';
import { registeredFigure } from './registered-figure.js';

/** The source that counts what answers of models cost, where there are such answers. */
const AI = 'ai';

/** What caches have spared. */
export async function savingsFigures(
  cache: CacheFigures,
  metrics: Pick<MetricsService, 'source'>,
): Promise<SavingsFigures> {
  const [usd, results] = await Promise.all([
    registeredFigure(metrics, AI, 'ai_saved_usd_total'),
    // Those that nobody had to pay for.
    registeredFigure(metrics, AI, 'ai_results_total', ({ outcome }) => outcome !== 'paid'),
  ]);
  return {
    cacheMs: cache.namespaces.reduce((sum, it) => sum + it.savedMs, 0),
    ai: usd === undefined ? null : { usd, results: results ?? 0 },
  };
}
