import type { EdgeLog, EdgeStatistics } from '../edge/edge-log.js';
import { EDGE_RESULTS } from '../edge/edge-log-line.js';
import type { MetricFamily, MetricSample } from './metric-family.js';

export const HIT_RATIO = 'cdn_cache_hit_ratio';

/** Adds the figures of the edge; its hit ratio stands in place of the origin's as soon as there is one. */
export function withEdge(families: readonly MetricFamily[], edgeLog: EdgeLog): MetricFamily[] {
  const statistics = edgeLog.statistics();
  const ratios = statistics.flatMap(({ source, hitRatio }) =>
    hitRatio === undefined ? [] : [{ labels: { source }, value: hitRatio }],
  );
  const all = families.map((it) =>
    it.name === HIT_RATIO && ratios.length > 0 ? { ...it, samples: ratios } : it,
  );
  return [...all, ...familiesOf(statistics, edgeLog)];
}

function familiesOf(statistics: readonly EdgeStatistics[], edgeLog: EdgeLog): MetricFamily[] {
  return [
    {
      name: 'cdn_edge_requests_total',
      help: 'Requests in the log of the edge, by what it did with them',
      type: 'counter',
      samples: samplesOf(statistics, 'requests'),
    },
    {
      name: 'cdn_edge_sent_bytes_total',
      help: 'What the edge sent, with headers',
      type: 'counter',
      samples: samplesOf(statistics, 'bytes'),
    },
    {
      name: 'cdn_edge_log_unread_lines_total',
      help: 'Lines of the log of the edge that are no request: broken off, too long, or of another format',
      type: 'counter',
      samples: [{ value: edgeLog.unreadLines }],
    },
    {
      name: 'cdn_edge_log_error',
      help: '1 while the log of the edge can not be read',
      type: 'gauge',
      samples: [{ value: edgeLog.lastError ? 1 : 0 }],
    },
  ];
}

function samplesOf(statistics: readonly EdgeStatistics[], field: 'requests' | 'bytes'): MetricSample[] {
  return statistics.flatMap((it) =>
    EDGE_RESULTS.map((result) => ({ labels: { source: it.source, result }, value: it[field][result] })),
  );
}
