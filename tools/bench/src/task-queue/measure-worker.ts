import { BenchInvalidMeasurementError } from '../bench.errors.ts';
import { serveWorker } from '../harness/worker.ts';
import { measureCounts } from './measures/counts.ts';
import { measureBatches, measureProcessing } from './measures/processing.ts';
import { measureFlood } from './measures/flood.ts';
import { measureLatency } from './measures/latency.ts';
import { measureSubmission } from './measures/submission.ts';
import type { Subject } from './libraries/contract.ts';
import { type Suite, variantOf, type VariantId } from './libraries/variants.ts';

/** What to measure on which store. */
export interface MeasureInput {
  readonly variant: VariantId;
  readonly suite: Suite;
  readonly url: string;
  /** Jobs, or seconds where a suite has a time. */
  readonly amount: number;
}

const MEASURES: Readonly<Record<Suite, (subject: Subject, amount: number) => Promise<object>>> = {
  submission: measureSubmission,
  processing: measureProcessing,
  batches: measureBatches,
  counts: measureCounts,
  latency: measureLatency,
  flood: measureFlood,
};

await serveWorker<MeasureInput, object>(async ({ variant, suite, url, amount }) => {
  const subject = await variantOf(variant).open(url);
  const sample = await MEASURES[suite](subject, amount);
  for (const [field, value] of Object.entries(sample)) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw new BenchInvalidMeasurementError(`${variant}: ${field} is ${value}`);
    }
  }
  return sample;
});
