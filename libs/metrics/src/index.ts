export { MetricsModule } from './metrics.module.js';
export { type MetricsModuleExtras } from './metrics.module-definition.js';
export { MetricsService, type MetricsSnapshot } from './metrics.service.js';
export { parseMetricsOptions, type MetricsOptions, type MetricsOptionsInput } from './metrics.options.js';
export { type MetricFamily, type MetricSample, type MetricSource } from './metric-source.js';
export {
  DEFAULT_METRICS_PATH,
  METRIC_NAMES,
  METRICS_OPTIONS,
  METRICS_PATHS,
  OVERFLOW_LABEL,
  UNMATCHED_ROUTE,
} from './metrics.tokens.js';
export {
  registerRequestTiming,
  type RequestTimingHandle,
  type RequestTimingOptions,
} from './http/request-timing.js';
export { LATENCY_BUCKETS_SECONDS, SIZE_BUCKETS_BYTES } from './http/buckets.js';
export {
  listenForScrapes,
  type ScrapeListener,
  type ScrapeListenerOptions,
} from './scrape/scrape-listener.js';
export { type MetricsPage } from './exposition/exposition.js';
export { type ExpositionFormat } from './exposition/exposition-format.js';
export { currentRequestTiming, RequestTiming, type Phase } from './http/request-phases.js';
export { type SlowRequestReport } from './http/slow-request-log.js';
export { type EventLoopFigures } from './supervision/event-loop-monitor.js';
export { type MemoryFigures } from './supervision/memory.js';
export { quantileMs, type RecentRequests } from './supervision/request-window.js';
export { STATUS_THRESHOLDS, type StatusReport, type StatusWord } from './supervision/verdicts.js';
export {
  MetricsError,
  MetricsFamilyError,
  MetricsListenerError,
  MetricsOptionsError,
  MetricsSourceNameError,
  MetricsSourceTimeoutError,
} from './metrics.errors.js';
