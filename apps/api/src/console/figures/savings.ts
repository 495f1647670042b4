import { type CacheFigures, type SavingsFigures } from '@peregrine/console';
import { type MetricsService } from '@peregrine/metrics';
import { registeredFigure } from './registered-figure.js';

/** As the answers of models tell it, where there are some. */
const AI = { source: 'ai', usd: 'ai_saved_usd_total', calls: 'ai_saved_calls_total' } as const;

/** What caches have spared. */
export async function savingsFigures(
  cache: CacheFigures,
  metrics: Pick<MetricsService, 'source'>,
): Promise<SavingsFigures> {
  const [usd, calls] = await Promise.all([
    registeredFigure(metrics, AI.source, AI.usd),
    registeredFigure(metrics, AI.source, AI.calls),
  ]);
  return {
    cacheMs: cache.namespaces.reduce((sum, it) => sum + it.savedMs, 0),
    ai: usd === undefined ? null : { usd, calls: calls ?? 0 },
  };
}
