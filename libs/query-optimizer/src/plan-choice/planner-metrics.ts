import { type MetricFamily, type MetricSample } from '../statistics/metric-families.js';
import { type PlannerReport } from './planner-report.js';

/** A planner's figures for a scrape. */
export function plannerMetrics(report: PlannerReport): MetricFamily[] {
  const { decisions, cache, training, exploration, regret, drift, calibration } = report;
  return [
    family(
      'counter',
      'db_planner_decisions_total',
      'Plans chosen, by reason',
      decisions.map(({ plan, reason, count }) => ({ labels: { plan, reason }, value: count })),
    ),
    counter('db_planner_cache_hits_total', 'Plans that were remembered', cache.hits),
    counter('db_planner_cache_misses_total', 'Plans that were not', cache.misses),
    gauge('db_planner_cache_entries', 'Plans that are remembered', cache.entries),
    family(
      'counter',
      'db_planner_cache_drops_total',
      'Plans that were forgotten, by reason',
      labelled('reason', cache.drops, (it) => it),
    ),
    gauge('db_planner_model_version', 'Grows with each model that is taken', training.modelVersion),
    family(
      'counter',
      'db_planner_trainings_total',
      'Trainings, by what became of them',
      labelled('outcome', training.rounds, (it) => it),
    ),
    counter(
      'db_planner_exploration_seconds_total',
      'By how much exploration took longer than the fallback',
      exploration.spentMs / 1_000,
    ),
    counter(
      'db_planner_exploration_refused_total',
      'Decisions at which exploration could not be paid for',
      exploration.refused,
    ),
    counter('db_planner_run_seconds_total', 'Time of all plans', regret.actualMs / 1_000),
    counter(
      'db_planner_regret_seconds_total',
      'By how much they took longer than the best was predicted to',
      regret.regretMs / 1_000,
    ),
    family(
      'gauge',
      'db_planner_log_error',
      'Mean logarithm of actual to predicted, newest runs',
      labelled('plan', calibration, (it) => it.meanLogRatio),
    ),
    family(
      'gauge',
      'db_planner_drift',
      'How near an alarm of drift is, 0 to 8',
      labelled('plan', drift, (it) => it.value),
    ),
    family(
      'counter',
      'db_planner_drift_alarms_total',
      'Alarms of drift',
      labelled('plan', drift, (it) => it.alarms),
    ),
  ];
}

function labelled<Value>(
  label: string,
  values: Readonly<Record<string, Value>>,
  of: (value: Value) => number | null,
): MetricSample[] {
  return Object.entries(values).flatMap(([name, it]) => {
    const value = of(it);
    return value === null ? [] : [{ labels: { [label]: name }, value }];
  });
}

function family(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  samples: readonly MetricSample[],
): MetricFamily {
  return { name, help, type, samples };
}

function counter(name: string, help: string, value: number): MetricFamily {
  return family('counter', name, help, [{ value }]);
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return family('gauge', name, help, [{ value }]);
}
