import { type MetricFamily, type MetricSample } from '../nest/metric-family.js';
import { type PurgeKind } from '../providers/purge-provider.js';
import { type PendingCount } from './invalidation-queue.js';

const AGE_BUCKETS_S = [0.1, 0.5, 1, 5, 15, 60, 300, 3_600] as const;

interface Counters {
  readonly requests: Map<string, number>;
  done: number;
  failed: number;
  /** Purges by the time from the first call to the end; the last is above all bounds. */
  readonly ages: number[];
  ageSumS: number;
}

/** What deliveries of this process did. */
export class PurgeStatistics {
  readonly #providers = new Map<string, Counters>();

  /** @param agesMs of the purges that one request did, from the first call for each */
  succeeded(provider: string, kind: PurgeKind, agesMs: readonly number[]): void {
    const counters = this.#of(provider);
    count(counters, kind, 'success');
    counters.done += agesMs.length;
    for (const ageMs of agesMs) {
      const bucket = AGE_BUCKETS_S.findIndex((it) => ageMs / 1_000 <= it);
      const index = bucket < 0 ? AGE_BUCKETS_S.length : bucket;
      counters.ages[index] = (counters.ages[index] ?? 0) + 1;
      counters.ageSumS += ageMs / 1_000;
    }
  }

  failed(provider: string, kind: PurgeKind): void {
    count(this.#of(provider), kind, 'failure');
  }

  /** Purges that are given up. */
  abandoned(provider: string, purges: number): void {
    this.#of(provider).failed += purges;
  }

  collect(pending: readonly PendingCount[]): MetricFamily[] {
    const all = [...this.#providers];
    const gauges = (of: (it: PendingCount) => number) =>
      pending.map((it) => ({ labels: { provider: it.provider }, value: of(it) }));
    return [
      {
        name: 'cdn_purge_pending',
        help: 'Purges that are not done',
        type: 'gauge',
        samples: gauges((it) => it.pending),
      },
      {
        name: 'cdn_purge_oldest_age_seconds',
        help: 'Age of the oldest purge that is not done',
        type: 'gauge',
        samples: gauges((it) => it.oldestAgeMs / 1_000),
      },
      {
        name: 'cdn_purge_requests_total',
        help: 'Requests to providers by kind and result',
        type: 'counter',
        samples: all.flatMap(([provider, { requests }]) =>
          [...requests].map(([key, value]) => {
            const [kind = '', result = ''] = key.split('/');
            return { labels: { provider, kind, result }, value };
          }),
        ),
      },
      {
        name: 'cdn_purges_total',
        help: 'Purges that ended',
        type: 'counter',
        samples: all.flatMap(([provider, it]) => [
          { labels: { provider, result: 'done' }, value: it.done },
          { labels: { provider, result: 'failed' }, value: it.failed },
        ]),
      },
      {
        name: 'cdn_purge_age_seconds',
        help: 'From the first call for a purge to its end',
        type: 'histogram',
        samples: all.flatMap(([provider, it]) => ageSamples(provider, it)),
      },
    ];
  }

  #of(provider: string): Counters {
    let counters = this.#providers.get(provider);
    if (!counters) {
      const ages = new Array<number>(AGE_BUCKETS_S.length + 1).fill(0);
      counters = { requests: new Map(), done: 0, failed: 0, ages, ageSumS: 0 };
      this.#providers.set(provider, counters);
    }
    return counters;
  }
}

function count({ requests }: Counters, kind: PurgeKind, result: 'success' | 'failure'): void {
  const key = `${kind}/${result}`;
  requests.set(key, (requests.get(key) ?? 0) + 1);
}

function ageSamples(provider: string, { ages, ageSumS }: Counters): MetricSample[] {
  let sum = 0;
  const buckets = ages.map((inBucket, index): MetricSample => {
    sum += inBucket;
    const le = String(AGE_BUCKETS_S[index] ?? '+Inf');
    return { suffix: '_bucket', labels: { provider, le }, value: sum };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels: { provider }, value: ageSumS },
    { suffix: '_count', labels: { provider }, value: sum },
  ];
}
