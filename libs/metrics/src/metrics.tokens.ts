/** Injection token of the parsed, frozen `MetricsOptions`. */
export const METRICS_OPTIONS = Symbol.for('@peregrine/metrics:options');

/** Where the scrape endpoint lives unless `path` says otherwise. */
export const DEFAULT_METRICS_PATH = '/metrics';

/**
 * Paths that stay outside a global prefix: `app.setGlobalPrefix('api/v1', { exclude: [...METRICS_PATHS] })`. With
 * another `path` in the module's options, exclude that one instead.
 */
export const METRICS_PATHS: readonly string[] = [DEFAULT_METRICS_PATH];

/** Label value that folds every label set above `maxLabelSets`. */
export const OVERFLOW_LABEL = '__overflow__';

/** Route label of requests that matched no route. The raw path never becomes a label. */
export const UNMATCHED_ROUTE = 'unmatched';

/** Metric names of this library. */
export const METRIC_NAMES = {
  requestDuration: 'http_request_duration_seconds',
  requests: 'http_requests_total',
  requestSize: 'http_request_size_bytes',
  responseSize: 'http_response_size_bytes',
  inFlight: 'http_requests_in_flight',
  slowRequests: 'http_slow_requests_total',
  overflow: 'metrics_label_overflow_total',
  sourceErrors: 'metrics_source_errors_total',
  scrapeRows: 'metrics_scrape_rows',
  scrapeLongestSliceRows: 'metrics_scrape_longest_slice_rows',
  scrapeLongestSlice: 'metrics_scrape_longest_slice_seconds',
  gcDuration: 'nodejs_gc_duration_seconds',
  loopDelayMean: 'nodejs_eventloop_delay_mean_seconds',
  loopDelayP99: 'nodejs_eventloop_delay_p99_seconds',
  loopDelayMax: 'nodejs_eventloop_delay_max_seconds',
  loopUtilization: 'nodejs_eventloop_utilization_ratio',
  loopTime: 'nodejs_eventloop_time_seconds_total',
  heapLimit: 'nodejs_heap_size_limit_bytes',
  heapLive: 'nodejs_heap_live_bytes',
  cgroupMemoryLimit: 'process_cgroup_memory_limit_bytes',
  cgroupMemoryUsage: 'process_cgroup_memory_usage_bytes',
  cgroupCpuLimit: 'process_cgroup_cpu_limit_cores',
  cgroupCpuThrottled: 'process_cgroup_cpu_throttled_seconds_total',
} as const;
