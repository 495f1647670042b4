import type { EdgeLog } from '../edge/edge-log.js';
import type { Origin } from '../origin/origin.js';
import type { OriginStatistics } from '../origin/origin-statistics.js';
import type { MetricFamily, MetricSample } from './metric-family.js';
import { HIT_RATIO, withEdge } from './edge-families.js';

type Samples = (statistics: OriginStatistics, origin: Origin) => readonly MetricSample[];
const one =
  (value: (statistics: OriginStatistics, origin: Origin) => number): Samples =>
  (...of) => [{ value: value(...of) }];

const FAMILIES: readonly [name: string, type: MetricFamily['type'], help: string, samples: Samples][] = [
  [
    'cdn_responses_total',
    'counter',
    'Answers of the origin',
    ({ responses }) => Object.entries(responses).map(([result, value]) => ({ labels: { result }, value })),
  ],
  [
    HIT_RATIO,
    'gauge',
    'Share of requests that the edge in front answered without the origin; with source="origin", of answers of the origin that came from memory or were a 304',
    ({ hitRatio }) => (hitRatio === undefined ? [] : [{ labels: { source: 'origin' }, value: hitRatio }]),
  ],
  ['cdn_memory_hits_total', 'counter', 'Answers without a look at the disk', one((it) => it.memoryHits)],
  ['cdn_memory_bytes', 'gauge', 'Files, codings and headers in memory', one((it) => it.memoryBytes)],
  ['cdn_sent_bytes_total', 'counter', 'Bodies of full answers', one((it) => it.sentBytes)],
  ['cdn_saved_bytes_total', 'counter', 'Bytes that compression saved', one((it) => it.savedBytes)],
  [
    'cdn_missing_hashed_total',
    'counter',
    'Requests for hashed names that are gone',
    one((it) => it.missingHashed),
  ],
  ['cdn_read_errors_total', 'counter', 'Faults of the disk', one((it) => it.readErrors)],
  [
    'cdn_live_releases',
    'gauge',
    'Releases that answer',
    one((_, { releases }) => releases.known.live.length),
  ],
  [
    'cdn_release_error',
    'gauge',
    '1 while a release can not be read',
    one((_, it) => (it.releases.lastError ? 1 : 0)),
  ],
];

/**
 * The figures of all origins, told apart by the label `prefix`. Where an edge in front writes a log, the hit ratio is the
 * edge's, with its kind as `source`.
 */
export function metricFamiliesOf(origins: readonly Origin[], edgeLog?: EdgeLog): MetricFamily[] {
  const figures = origins.map((origin) => ({ origin, statistics: origin.statistics() }));
  const families = FAMILIES.map(([name, type, help, samples]) => ({
    name,
    type,
    help,
    samples: figures.flatMap(({ origin, statistics }) =>
      samples(statistics, origin).map(({ labels, value }) => ({
        labels: { prefix: origin.prefix, ...labels },
        value,
      })),
    ),
  }));
  return edgeLog ? withEdge(families, edgeLog) : families;
}
