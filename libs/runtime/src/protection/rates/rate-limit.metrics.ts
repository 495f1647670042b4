import { type MetricFamily } from '@peregrine/metrics';
import { type RateLimits } from './rate-limits.js';

/** Figures of the rate limits of this process. */
export function rateLimitMetrics({ refused, allowed, tokens, size }: RateLimits): MetricFamily[] {
  return [
    counter('protection_rate_allowed_total', 'Requests that the rate limits let through.', allowed),
    {
      name: 'protection_rate_refused_total',
      help: 'Requests that a rate limit refused with 429.',
      type: 'counter',
      samples: Object.entries(refused).map(([policy, value]) => ({ labels: { policy }, value })),
    },
    counter('protection_rate_store_trips_total', 'Questions to the store of the rate limits.', tokens.trips),
    counter('protection_rate_store_failures_total', 'Questions that it did not answer.', tokens.failures),
    counter(
      'protection_rate_fallbacks_total',
      'Decisions of a process alone, because the store does not answer.',
      tokens.fallbacks,
    ),
    gauge(
      'protection_rate_store_up',
      '1 when the store of the rate limits answered the last time.',
      tokens.isShared ? 1 : 0,
    ),
    gauge('protection_rate_callers', 'Keys and addresses that this process remembers.', size),
  ];
}

const counter = (name: string, help: string, value: number): MetricFamily => ({
  name,
  help,
  type: 'counter',
  samples: [{ value }],
});

const gauge = (name: string, help: string, value: number): MetricFamily => ({
  name,
  help,
  type: 'gauge',
  samples: [{ value }],
});
