import { PgBoss } from 'pg-boss';

import type { Payload, Subject } from './contract.ts';

const NAME = 'bench';

/** As its documentation tunes a worker for throughput: notified of new jobs, and fetching on while batches are full. */
export async function openPgBoss(url: string): Promise<Subject> {
  const boss = new PgBoss({ connectionString: url, useListenNotify: true, max: 12 });
  boss.on('error', (error) => console.error(error));
  await boss.start();
  await boss.createQueue(NAME, { notify: true, retentionSeconds: 3_600, deleteAfterSeconds: 3_600 });
  const pollingIntervalSeconds = 0.5;
  return {
    submit: (it) => boss.send(NAME, it),
    submitMany: (all) =>
      boss.insert(
        NAME,
        all.map((data) => ({ data })),
      ),
    work: async ({ concurrency, handler }) => {
      const options = {
        localConcurrency: concurrency,
        batchSize: 10,
        burstWhenBatchFull: true,
        pollingIntervalSeconds,
      };
      await boss.work<Payload>(NAME, options, async (jobs) => {
        for (const { data } of jobs) await handler(data);
      });
    },
    workBatches: async (batchSize, handler) => {
      const options = { batchSize, burstWhenBatchFull: true, pollingIntervalSeconds };
      await boss.work<Payload>(NAME, options, (jobs) => handler(jobs.map((it) => it.data)));
    },
    counts: () => boss.getQueueStats(NAME),
    close: () => boss.stop({ graceful: false }),
  };
}
