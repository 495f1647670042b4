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
export { currentRequestTiming, type EnteredPhase, RequestTiming, type Phase } from './http/request-phases.js';
export { type SlowRequestReport } from './http/slow-request-log.js';
export { Profiler, type StartProfile } from './profiles/profiler.js';
export { type ProfilerOptions, type ProfilerOptionsInput } from './profiles/profiler.options.js';
export { PROFILE_EXTENSIONS, type Profile, PROFILE_KINDS, type ProfileKind } from './profiles/profile.js';
export { type EventLoopFigures } from './supervision/event-loop-monitor.js';
export { type MemoryFigures } from './supervision/memory.js';
export { heapLimitBytes } from './supervision/heap-limit.js';
export { type MemoryConsumer, type SheddingListener } from './supervision/memory-consumer.js';
export { MemoryManager, type MemoryManagerState } from './supervision/memory-manager.js';
export {
  parseMemoryManagerOptions,
  type MemoryManagerOptions,
  type MemoryManagerOptionsInput,
} from './supervision/memory-manager.options.js';
export { type MemoryLevel } from './supervision/memory-pressure.js';
export { quantileMs, type RecentRequests } from './supervision/request-window.js';
export { STATUS_THRESHOLDS, type StatusReport, type StatusWord } from './supervision/verdicts.js';
export {
  MetricsConsumerNameError,
  MetricsError,
  MetricsFamilyError,
  MetricsListenerError,
  MetricsOptionsError,
  MetricsProfileNotFoundError,
  MetricsProfileRefusedError,
  MetricsSourceNameError,
  MetricsSourceTimeoutError,
} from './metrics.errors.js';
