import { type MetricFamily } from '@peregrine/query-optimizer';
import { type Calibration } from './calibration-rule.js';

/**
 * What became of a query that was to be answered again: `kept` as a sample; `failed`: certified and under its floor; `complete`: it had
 * so few chunks that it needed no certainty; `too-large`: more chunks pass than are compared; `busy`: another one was under way.
 */
export type ShadowOutcome = (typeof SHADOW_OUTCOMES)[number];
const SHADOW_OUTCOMES = ['kept', 'failed', 'complete', 'too-large', 'busy', 'error'] as const;

export interface CalibrationFigures {
  readonly embedder: string;
  readonly calibration: Calibration;
  /** Of this process since its start. */
  readonly outcomes: Readonly<Partial<Record<ShadowOutcome, number>>>;
}

export function calibrationMetrics({ embedder, calibration, outcomes }: CalibrationFigures): MetricFamily[] {
  const labels = { embedder };
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    ...{ name, help, type: 'gauge' },
    samples: [{ labels, value }],
  });
  return [
    gauge('retrieval_calibrated_certainty', 'The z that answers are certified at', calibration.z),
    gauge('retrieval_calibration_samples', 'Samples that it is computed from', calibration.samples),
    gauge(
      'retrieval_calibration_failures',
      'Those of certified answers under their floor',
      calibration.failures,
    ),
    {
      name: 'retrieval_shadow_queries_total',
      help: 'Queries drawn to be answered again exactly, by what became of them',
      type: 'counter',
      // All from the start: of a figure that begins with 1 nobody sees that it has risen.
      samples: SHADOW_OUTCOMES.map((outcome) => ({
        labels: { embedder, outcome },
        value: outcomes[outcome] ?? 0,
      })),
    },
  ];
}
