import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type TaskPriority } from '../../src/index.js';
import { type ContractStore } from '../contract/task-queue-contract.js';
import { BACKLOG, Flood } from '../flood.js';
import { type ProbeApp, startProbeApp, until } from '../probe-app.js';
import { single } from '../probe-tasks.js';
import { postgresStore, redisStore } from '../stores.js';

jest.setTimeout(120_000);

const WAIT = { timeoutMs: 90_000 };
/** Three quarters of the promises of 10 s, one minute and five minutes are what is planned with, milliseconds. */
const PLANNED = { NORMAL: 7_500, LOW: 45_000, BATCH: 225_000 };

describe.each([
  ['Redis', redisStore],
  ['PostgreSQL', postgresStore],
])('the promises that nobody has changed, on %s', (_name, open: () => Promise<ContractStore>) => {
  let store: ContractStore;
  const apps: ProbeApp[] = [];

  const start = async (worker: { readonly concurrency: number } | false) => {
    const app = await startProbeApp({
      backend: store.backend,
      prefix: store.prefix,
      worker,
      ...(worker && { tasks: [single] }),
    });
    apps.push(app);
    return app;
  };

  beforeEach(async () => {
    store = await open();
  });

  afterEach(async () => {
    await Promise.all(apps.splice(0).map(({ app }) => app.close()));
    await store.remove();
  });

  /**
   * HIGH and NORMAL wait in real time. LOW and BATCH were submitted when all but the last seconds of their waits lay
   * ahead of them, by the caller's clock: what remains of the waits is real, and so is what they meet in it.
   */
  it('hold with two workers and an endless flood of CRITICAL', async () => {
    const caller = await start(false);
    await caller.queue.pause();
    const old = [await submitAgo('LOW', 1_000), await submitAgo('BATCH', 2_000)];
    const flood = new Flood(caller, [await start({ concurrency: 1 }), await start({ concurrency: 1 })]);
    const flooding = flood.run();
    await until(async () => ((await caller.queue.stats()).pending ?? 0) >= BACKLOG);
    await caller.queue.resume();
    await until(() => flood.calls.length > BACKLOG);
    const fresh = [await submitAgo('HIGH'), await submitAgo('NORMAL')];
    const all = [...old, ...fresh];
    for (const { id } of all) await caller.queue.waitFor(single, id, WAIT);
    flood.stop();
    await flooding;
    for (const { id, from, to } of all) {
      flood.expectTurn((await caller.queue.status(single, id))!, from, to);
    }
    expect(flood.turns.size).toBe(4);

    /** @param laterMs after a NORMAL one of now its turn is to come */
    async function submitAgo(priority: TaskPriority, laterMs?: number) {
      const now = Date.now();
      const isOld = laterMs !== undefined && (priority === 'LOW' || priority === 'BATCH');
      const from = isOld ? now - (PLANNED[priority] - PLANNED.NORMAL) + laterMs : now;
      const clock = isOld ? jest.spyOn(Date, 'now').mockReturnValue(from) : undefined;
      try {
        const { id } = await caller.queue.submit(single, { key: priority }, { priority });
        return { id, from, to: clock ? from : Date.now() };
      } finally {
        clock?.mockRestore();
      }
    }
  });
});
