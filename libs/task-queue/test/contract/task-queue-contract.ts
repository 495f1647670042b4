import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { TaskFailedError, type TaskQueueOptionsInput } from '../../src/index.js';
import { type ProbeApp, startProbeApp, until, WAIT } from '../probe-app.js';
import { batched, hasty, single } from '../probe-tasks.js';
import { describeBadInput } from './bad-input.js';
import { describeBatches } from './batches.js';
import { describeCancellation, describeRemoteCancellation } from './cancellation.js';
import { describeDeadLetters, describeStoredDeadLetters } from './dead-letters.js';
import { describeDeadlines } from './deadlines.js';
import { describeExplanations } from './explanations.js';
import { describeFailures } from './failures.js';
import { describeIsolation, describeSuspects } from './isolation.js';
import { describeOperations } from './operations.js';
import { describeResults } from './results.js';
import { describeSchedules } from './schedules.js';
import { describePause, describeSubmissions } from './submissions.js';
import { describeWorkers, type StartProbe } from './workers.js';

/** A store of the tests' own, empty, and how to get rid of it. */
export interface ContractStore {
  readonly backend: Exclude<TaskQueueOptionsInput['backend'], { type: 'inline' }>;
  /** Every prefix in the store begins with it. */
  readonly prefix: string;
  /** Gives the lock of a running task to nobody that lives. */
  stealLock(prefix: string, jobId: string): Promise<void>;
  remove(): Promise<void>;
}

/**
 * What holds on every backend, and in the inline mode as far as it has no workers.
 *
 * @param mode where tasks run: in a worker, or in the process that submits them
 */
export function runTaskQueueContract(
  name: string,
  mode: 'worker' | 'inline',
  createStore: () => Promise<ContractStore>,
): void {
  jest.setTimeout(60_000);

  describe(`a task queue on ${name}`, () => {
    const shared = { worker: mode === 'worker', asynchronous: () => mode === 'worker' };
    let store: ContractStore;
    let main: ProbeApp;
    const opened: ProbeApp[] = [];

    const start: StartProbe = async (options, providers) => {
      const prefix = `${store.prefix}.${options.prefix ?? 'main'}`;
      const app = await startProbeApp({ backend: store.backend, ...options, prefix }, providers);
      opened.push(app);
      return app;
    };

    beforeAll(async () => {
      store = await createStore();
      main = await startProbeApp({ backend: store.backend, prefix: store.prefix, ...shared });
    });

    afterEach(async () => {
      await Promise.all(opened.splice(0).map(({ app }) => app.close()));
    });

    afterAll(async () => {
      await main.app.close();
      await store.remove();
    });

    describeResults(() => main);
    describeFailures(() => main);
    describeBatches(() => main);
    describeIsolation(() => main);
    describeSubmissions(() => main);
    describeCancellation(() => main);
    describeIds(() => main);
    describeBadInput(() => main);
    describeCounters(() => start({ prefix: 'counting', ...shared }));
    describeDeadLetters((prefix) => start({ prefix, ...shared }));
    describePause(() => start({ prefix: 'pausing', ...shared }));
    if (mode === 'inline') return;
    describeWorkers(() => ({ store, start }));
    describeStoredDeadLetters(() => ({ store, start }));
    describeSuspects(() => ({ store, start }));
    describeDeadlines(() => ({ store, start }));
    describeRemoteCancellation(() => ({ store, start }));
    describeSchedules(() => ({ store, start }));
    describeExplanations(() => ({ store, start }));
    describeOperations(() => ({ store, start }));
  });
}

function describeIds(main: () => ProbeApp): void {
  it('refuses to start a second time what has the same id', async () => {
    const { queue, probe } = main();
    await queue.submit(single, { key: 'once' }, { id: 'same-id' });
    await queue.waitFor(single, 'same-id', WAIT);
    await queue.submit(single, { key: 'once' }, { id: 'same-id' });
    await queue.submitBatch(single, [{ payload: { key: 'once' }, id: 'same-id' }]);
    // Submitted later and less urgent, so it ends after a second run would have.
    const { id } = await queue.submit(single, { key: 'after once' }, { priority: 'BATCH' });
    await queue.waitFor(single, id, WAIT);
    expect(probe.callsOf('once')).toBe(1);
  });

  it('keeps apart the same id of two tasks', async () => {
    const { queue } = main();
    await queue.submit(single, { key: 'a', note: 'single' }, { id: 'shared-id' });
    await queue.submit(hasty, { key: 'b', note: 'hasty' }, { id: 'shared-id' });
    expect(await queue.waitFor(single, 'shared-id', WAIT)).toBe('single');
    expect(await queue.waitFor(hasty, 'shared-id', WAIT)).toBe('hasty');
  });
}

function describeCounters(start: () => Promise<ProbeApp>): void {
  it('counts what it did', async () => {
    const { queue, probe } = await start();
    probe.singles.set('bad', () => Promise.reject(new Error('always')));
    let calls = 0;
    probe.onBatch = (items) => {
      calls++;
      return Promise.resolve(items.map(() => ({ ok: true, value: null })));
    };
    const good = await queue.submit(single, { key: 'good' });
    const bad = await queue.submit(single, { key: 'bad' });
    const many = await queue.submitBatch(batched, [{ number: 1 }, { number: 2 }]);
    await queue.waitFor(single, good.id, WAIT);
    await expect(queue.waitFor(single, bad.id, WAIT)).rejects.toThrow(TaskFailedError);
    for (const { id } of many) await queue.waitFor(batched, id, WAIT);
    await until(async () => {
      const { completed, failed } = await queue.stats();
      return completed === 3 && failed === 1;
    });
    expect(await queue.stats()).toMatchObject({
      submitted: 4,
      retries: 2,
      batchesProcessed: calls,
      successRate: 0.75,
    });
    const failed = queue.collect().find((it) => it.name === 'task_failed_total');
    expect(failed?.samples).toContainEqual({ labels: { task: 'probe.single' }, value: 1 });
  });
}
