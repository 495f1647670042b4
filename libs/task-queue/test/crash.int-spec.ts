import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineTask } from '../src/index.js';
import { type ContractStore } from './contract/task-queue-contract.js';
import { startProbeApp, until, WAIT } from './probe-app.js';
import { postgresStore, redisStore } from './stores.js';
import { buildLibrary, WorkerProcess } from './worker-process.js';

const payload = z.strictObject({ number: z.int() });
const crashSingle = defineTask({ name: 'crash.single', payload, attempts: 1 });
const crashBatch = defineTask({
  name: 'crash.batch',
  payload,
  attempts: 1,
  batch: { size: 10, maxWaitMs: 20 },
});

/** Many more than a worker runs while the test is slow to kill it. */
const TASKS_OF_A_KIND = 150;
const KILLS = 3;
const RUNS_BEFORE_A_KILL = 15;
/** What a worker of the fixture holds at most: four calls and two batches. */
const CLAIMS = 4 + 2 * 10;

/** Runs of every task, over all worker processes. */
type Runs = Map<string, number>;

describe('a worker process that is killed', () => {
  beforeAll(buildLibrary, 120_000);

  it.each([
    ['Redis', redisStore],
    ['PostgreSQL', postgresStore],
  ])(
    'loses no task on %s',
    async (_name, createStore: () => Promise<ContractStore>) => {
      const store = await createStore();
      const { app, queue } = await startProbeApp(
        { backend: store.backend, prefix: store.prefix, tasks: [crashSingle, crashBatch] },
        [],
      );
      const numbers = Array.from({ length: TASKS_OF_A_KIND }, (_, number) => ({ number }));
      const singles = await queue.submitBatch(crashSingle, numbers);
      const batches = await queue.submitBatch(crashBatch, numbers);

      const runs: Runs = new Map();
      for (let kill = 0; kill < KILLS; kill++) await runAndKill(store, runs);
      const last = startWorker(store, runs);
      for (const { id } of singles) await queue.waitFor(crashSingle, id, WAIT);
      for (const { id } of batches) await queue.waitFor(crashBatch, id, WAIT);
      await last.end('SIGTERM');

      expect(runs.size).toBe(2 * TASKS_OF_A_KIND);
      const again = [...runs.values()].reduce((sum, count) => sum + count - 1, 0);
      expect(again).toBeLessThanOrEqual(KILLS * CLAIMS);
      await app.close();
      await store.remove();
    },
    240_000,
  );
});

async function runAndKill(store: ContractStore, runs: Runs): Promise<void> {
  const before = total(runs);
  const worker = startWorker(store, runs);
  await until(() => total(runs) >= before + RUNS_BEFORE_A_KILL || runs.size === 2 * TASKS_OF_A_KIND);
  await worker.end('SIGKILL');
}

function startWorker({ backend, prefix }: ContractStore, runs: Runs): WorkerProcess {
  return new WorkerProcess({
    fixture: 'crash-worker.mjs',
    settings: { backend, prefix },
    onLine: (line) => {
      if (line.startsWith('crash.')) runs.set(line, (runs.get(line) ?? 0) + 1);
    },
  });
}

function total(runs: Runs): number {
  return [...runs.values()].reduce((sum, count) => sum + count, 0);
}
