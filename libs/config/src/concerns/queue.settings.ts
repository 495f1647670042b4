import { defineSettings, setting } from '../settings/define-settings.js';
import { text, wholeNumber } from '../settings/value-types.js';

/** Background tasks. */
export const queueSettings = defineSettings('Queue', {
  prefix: setting('QUEUE_PREFIX', text('letters, digits, - and _', /^[A-Za-z0-9_-]+$/), {
    description: 'First part of every queue key. Deployments that share a server need different ones.',
    default: 'peregrine',
  }),
  workerConcurrency: setting('WORKER_CONCURRENCY', wholeNumber(1, 10_000), {
    description: 'Most tasks that one worker process runs at once.',
    default: '20',
  }),
  sweepIntervalMs: setting('WORKER_SWEEP_INTERVAL_MS', wholeNumber(100, 86_400_000), {
    description: 'How often a worker looks for extractions and releases that a crash lost, milliseconds.',
    default: '60000',
  }),
});
