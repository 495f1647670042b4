/** `up` and `degraded` serve requests (200); the others do not (503). */
export type HealthStatus = 'up' | 'degraded' | 'down' | 'draining' | 'starting';

/** The state of one check as the answer shows it: no reason, no address, no internals. */
export interface HealthReportCheck {
  readonly status: 'up' | 'down';
  /** Age of the result, whole milliseconds; null when the check has not run yet. */
  readonly checkedMsAgo: number | null;
}

/** The body of every probe. */
export interface HealthReport {
  readonly status: HealthStatus;
  readonly checks: Readonly<Record<string, HealthReportCheck>>;
}

/** What is known of one check, for operators alone: the reason may name addresses. */
export interface HealthDetail extends HealthReportCheck {
  readonly name: string;
  readonly criticality: 'critical' | 'degraded';
  /** Of the last run, milliseconds; null when the check has not run yet. */
  readonly durationMs: number | null;
  /** Why it is down; null while it is not. */
  readonly reason: string | null;
}

/** The HTTP status code that belongs to a report: 200 or 503. */
export function httpStatusOf(report: HealthReport): 200 | 503 {
  return report.status === 'up' || report.status === 'degraded' ? 200 : 503;
}
