import { afterAll, expect, it } from '@jest/globals';
import { type CacheFigures } from '@peregrine/console';
import { MetricsService, parseMetricsOptions } from '@peregrine/metrics';
import { concurrencyLimit, refusedRequests } from './limits.js';
import { savingsFigures } from './savings.js';

const metrics = new MetricsService(parseMetricsOptions({ processMetrics: false }));
afterAll(() => metrics.onApplicationShutdown());

const namespaces = [{ savedMs: 1_000 }, { savedMs: 500 }] as unknown as CacheFigures['namespaces'];
const cache = { namespaces } as CacheFigures;
const counter = (name: string, ...samples: { labels?: Record<string, string>; value: number }[]) => ({
  ...{ name, help: '', type: 'counter' as const, samples },
});

it('knows of money only where answers of models are counted, and takes all that were not paid for', async () => {
  expect(await savingsFigures(cache, metrics)).toEqual({ cacheMs: 1_500, ai: null });
  const remove = metrics.register({
    name: 'ai',
    collect: () => [
      counter(
        'ai_saved_usd_total',
        { labels: { by: 'hit' }, value: 1.25 },
        { labels: { by: 'coalescing' }, value: 0.5 },
      ),
      counter(
        'ai_results_total',
        { labels: { kind: 'chat', outcome: 'paid' }, value: 7 },
        { labels: { kind: 'chat', outcome: 'hit' }, value: 20 },
        { labels: { kind: 'embedding', outcome: 'coalesced' }, value: 3 },
      ),
    ],
  });
  expect(await savingsFigures(cache, metrics)).toEqual({ cacheMs: 1_500, ai: { usd: 1.75, results: 23 } });
  remove();
});

it('has a limit of the requests at once only where there is one', async () => {
  expect(await concurrencyLimit(metrics)).toEqual([]);
  expect(await refusedRequests(metrics)).toBeNull();
  metrics.register({
    name: 'concurrency',
    collect: () => [
      counter('protection_concurrency_limit', { value: 40 }),
      counter('protection_concurrency_in_flight', { value: 4 }),
      counter('protection_concurrency_shed_total', { value: 2 }, { value: 1 }),
    ],
  });
  expect(await concurrencyLimit(metrics)).toMatchObject([{ used: 4, limit: 40, level: 'good' }]);
  expect(await refusedRequests(metrics)).toEqual({ byRate: 0, atOnce: 3 });
});

it('has no figure of a source that fails', async () => {
  metrics.register({ name: 'ai', collect: () => Promise.reject(new Error('away')) });
  expect((await savingsFigures(cache, metrics)).ai).toBeNull();
});
