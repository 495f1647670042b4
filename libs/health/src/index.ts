export {
  DEFAULT_CHECK_INTERVAL_MS,
  DEFAULT_CHECK_TIMEOUT_MS,
  type HealthCheck,
} from './checks/health-check.js';
export { type Drain, type DrainLog, type DrainProcess } from './drain/drain.js';
export {
  DEFAULT_DRAIN_MS,
  DEFAULT_SHUTDOWN_TIMEOUT_MS,
  type DrainableApp,
  type DrainOptions,
  drainOnSignals,
} from './drain/drain-on-signals.js';
export { HEALTH_PATHS, HealthController } from './health.controller.js';
export {
  HealthCheckStuckError,
  HealthCheckTimeoutError,
  HealthDrainAfterListenError,
  HealthDuplicateCheckError,
  HealthError,
  HealthInvalidOptionsError,
  HealthStoppedError,
} from './health.errors.js';
export { type HealthMetricFamily } from './health.metrics.js';
export { HealthModule } from './health.module.js';
export { type HealthOptions, type HealthOptionsInput } from './health.options.js';
export {
  type HealthDetail,
  type HealthReport,
  type HealthReportCheck,
  type HealthStatus,
  httpStatusOf,
} from './health.report.js';
export { HealthService } from './health.service.js';
export { HEALTH_OPTIONS } from './health.tokens.js';
