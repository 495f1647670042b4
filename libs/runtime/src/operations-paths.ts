import { HEALTH_PATHS } from '@peregrine/health';
import { METRICS_PATHS } from '@peregrine/metrics';

/** Paths outside an application's prefix: probes and figures. */
export const OPERATIONS_PATHS: readonly string[] = [...HEALTH_PATHS, ...METRICS_PATHS];
