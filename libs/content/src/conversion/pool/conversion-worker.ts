import { parentPort } from 'node:worker_threads';
import { type ConversionJob, convert } from '../convert.js';
import { ConversionRefusal } from '../conversion-refusal.js';
import type { ConversionAnswer } from './conversion-answer.js';

// The thread of a pool: one job in, one answer out. It is ended from outside when an answer takes too long.
parentPort?.on('message', (job: ConversionJob) => {
  void answer(job).then((it) => parentPort?.postMessage(it));
});

async function answer(job: ConversionJob): Promise<ConversionAnswer> {
  try {
    return { kind: 'converted', conversion: await convert(job) };
  } catch (error) {
    if (error instanceof ConversionRefusal) return { kind: 'refused', reason: error.message };
    // A parser that recurses over what it reads.
    if (error instanceof RangeError) return { kind: 'refused', reason: 'The content is nested too deeply' };
    return {
      kind: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}
