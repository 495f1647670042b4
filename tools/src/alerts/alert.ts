/** What the alert is about: one group of rules each. */
export type AlertField =
  'http' | 'queries' | 'cache' | 'retrieval' | 'tasks' | 'cdn' | 'process' | 'scraping';

/** One thing that a person is told. */
export interface Alert {
  /** Unique; its runbook is named after it: `ErrorRateHigh` is explained in `error-rate-high.md`. */
  readonly name: string;
  readonly field: AlertField;
  /** `critical`: users are hurt now, somebody gets up. `warning`: look at it within the working day. */
  readonly severity: 'critical' | 'warning';
  /** How long the expression must hold. */
  readonly forMinutes: number;
  /** What `$window` in the expression stands for. */
  readonly windowMinutes: number;
  /**
   * PromQL. Where it divides, it also asks for a number of events in the window: with few of them one is a large share,
   * and says nothing.
   */
  readonly expression: string;
  /** One line; Prometheus' templates. */
  readonly summary: string;
  /** What it means for users, and the figure. */
  readonly description: string;
}

/** @returns the name of the alert's page in docs/runbooks, without the folder */
export function runbookOf({ name }: Pick<Alert, 'name'>): string {
  return `${name.replace(/(?!^)[A-Z]/g, '-$&').toLowerCase()}.md`;
}
