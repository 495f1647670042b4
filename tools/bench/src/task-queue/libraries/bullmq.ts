import {
  createPostgresBackend,
  type JobsOptions,
  Queue,
  type QueueOptions,
  runMigrations,
  setDefaultBackendFactory,
  Worker,
} from 'bullmq';
import pg from 'pg';

import { CLASSES, type Payload, type Subject } from './contract.ts';
import type { StoreKind } from '../../harness/stores.ts';

const NAME = 'bench';
const HOUR_S = 3_600;

/**
 * Bare BullMQ as its documentation starts a queue: no priorities, no ids of our own, one attempt. Ended jobs are kept
 * as long as ours.
 */
export async function openBullMq(kind: StoreKind, url: string): Promise<Subject> {
  const connection = kind === 'redis' ? { url, maxRetriesPerRequest: null } : await openPool(url);
  const options = { connection } as QueueOptions;
  // A number to keep costs PostgreSQL a scan with every job that ends, which is why we do not ask it for one either.
  const keep = { age: HOUR_S, ...(kind === 'redis' && { count: 10_000 }) };
  const defaultJobOptions: JobsOptions = { removeOnComplete: keep, removeOnFail: keep };
  const queue = new Queue<Payload>(NAME, { ...options, defaultJobOptions });
  const workers: Worker<Payload>[] = [];
  await queue.waitUntilReady();
  return {
    submit: (it) => queue.add('single', it),
    submitMany: (all) => queue.addBulk(all.map((data) => ({ name: 'single', data }))),
    submitOfClass: (it, priority) => queue.add('single', it, { priority: 1 + CLASSES.indexOf(priority) }),
    counts: () => queue.getJobCounts(),
    work: async ({ concurrency, handler }) => {
      const worker = new Worker<Payload>(NAME, (job) => handler(job.data), { ...options, concurrency });
      worker.on('error', (error) => console.error(error));
      workers.push(worker);
      await worker.waitUntilReady();
    },
    close: async () => {
      await Promise.all(workers.map((it) => it.close(true)));
      await queue.close();
      if (connection instanceof pg.Pool) await connection.end();
    },
  };
}

/** As many connections as jobs may run at once, and one that listens. */
async function openPool(url: string): Promise<pg.Pool> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await runMigrations(client);
  await client.end();
  setDefaultBackendFactory(createPostgresBackend as never);
  return new pg.Pool({ connectionString: url, max: 12, keepAlive: true, options: '-c search_path=bullmq' });
}
