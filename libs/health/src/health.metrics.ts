import type { CheckRunner } from './checks/check-runner.js';
import type { VitalsReading } from './vitals/process-vitals.js';

/** One metric with its samples, plain data. */
export interface HealthMetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge';
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** What the figures are made of. */
export interface HealthState {
  readonly ready: boolean;
  readonly live: boolean;
  readonly draining: boolean;
  readonly runners: Iterable<CheckRunner>;
  readonly vitals: VitalsReading | undefined;
}

/** Figures from what is known already: a scrape runs no check. */
export function healthMetrics(state: HealthState): HealthMetricFamily[] {
  const checked = [...state.runners].flatMap(({ check, last }) =>
    last === undefined
      ? []
      : [{ labels: { check: check.name, criticality: check.criticality }, result: last }],
  );
  const vitals = state.vitals;
  return [
    flag('health_live', '1 while the liveness probe answers 200.', state.live),
    flag('health_ready', '1 while the last known results make the readiness probe answer 200.', state.ready),
    flag('health_draining', '1 while the process drains.', state.draining),
    gauge(
      'health_check_up',
      '1 when the last run of the check succeeded.',
      checked.map(({ labels, result }) => ({ labels, value: result.status === 'up' ? 1 : 0 })),
    ),
    gauge(
      'health_check_duration_seconds',
      'Duration of the last run of the check.',
      checked.map(({ labels, result }) => ({ labels, value: result.durationMs / 1_000 })),
    ),
    gauge(
      'health_event_loop_delay_seconds',
      'Longest delay of the event loop in the last sample interval.',
      vitals === undefined ? [] : [{ labels: {}, value: vitals.loopDelayMs / 1_000 }],
    ),
    gauge(
      'health_heap_used_ratio',
      "Used heap as a share of V8's heap size limit.",
      vitals === undefined ? [] : [{ labels: {}, value: vitals.heapRatio }],
    ),
  ];
}

function gauge(name: string, help: string, samples: HealthMetricFamily['samples']): HealthMetricFamily {
  return { name, help, type: 'gauge', samples };
}

function flag(name: string, help: string, value: boolean): HealthMetricFamily {
  return gauge(name, help, [{ labels: {}, value: value ? 1 : 0 }]);
}
