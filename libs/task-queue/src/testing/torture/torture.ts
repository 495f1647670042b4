import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTaskQueue, type StandaloneTaskQueue } from '../../create-task-queue.js';
import { type TaskSubmission } from '../../task-queue.service.js';
import { CuttableProxy } from '../cuttable-proxy.js';
import { ExecutionRecord } from './execution-record.js';
import { Faults } from './faults.js';
import { removeQueue } from './remove-queue.js';
import { createStorePause } from './store-pause.js';
import { type ParsedTortureOptions, parseTortureOptions, type TortureOptions } from './torture.options.js';
import { createReport, type TortureReport } from './torture-report.js';
import { findFates, type SubmittedTask } from './task-fate.js';
import { WorkerCrew } from './worker-crew.js';

const LOOK_EVERY_MS = 250;
const DAY_MS = 86_400_000;
/** The first operation creates PostgreSQL's tables, and nobody else waits here. */
const OPERATION_TIMEOUT_MS = 30_000;

/**
 * Runs tasks with their real handlers in real worker processes on a real store, kills the processes at random, blocks
 * their event loops and takes the store from them, and tells what became of every task. `assertSurvived` judges.
 *
 *     const report = await torture({
 *       backend: { type: 'redis', url },
 *       module: new URL('./tasks.mjs', import.meta.url), // exports `tasks`, the list of `createTaskQueue`
 *       submissions: numbers.map((number) => ({ definition: resize, payload: { number } })),
 *     });
 *     assertSurvived(report);
 *
 * What was submitted is removed in the end, but for PostgreSQL's tables themselves.
 *
 * @throws {TortureSetupError}
 * @throws what `TaskQueue.submitMany` throws
 * @throws the signal's reason
 */
export async function torture(input: TortureOptions): Promise<TortureReport> {
  const options = parseTortureOptions(input);
  const { backend, prefix } = options;
  const folder = await mkdtemp(join(tmpdir(), 'task-torture-'));
  const proxy = new CuttableProxy(new URL(backend.url));
  const queue = await openClient(options);
  try {
    return await run(options, queue, proxy, folder);
  } finally {
    await proxy.cut();
    await queue.close();
    await removeQueue(backend, prefix);
    await rm(folder, { recursive: true });
  }
}

/** Sees the store without the proxy. */
function openClient({ backend, prefix, submissions }: ParsedTortureOptions): Promise<StandaloneTaskQueue> {
  const definitions = [...new Set(submissions.map((it) => it.definition))];
  return createTaskQueue({
    backend,
    prefix,
    worker: false,
    operationTimeoutMs: OPERATION_TIMEOUT_MS,
    retention: retentionFor(submissions),
    tasks: definitions.map((definition) => ({ definition })),
  });
}

async function run(
  options: ParsedTortureOptions,
  queue: StandaloneTaskQueue,
  proxy: CuttableProxy,
  folder: string,
): Promise<TortureReport> {
  const { submissions, faults: chosen } = options;
  const record = new ExecutionRecord();
  const crew = createCrew(options, await proxy.open(), folder, record);
  const by = chosen.pauseStore ? chosen.pauseStore.by : 'freeze';
  const faults = new Faults(options, crew, createStorePause(by, proxy, options.backend.url));
  const ids = await queue.submitMany(submissions);
  const startedAt = performance.now();
  const enough = new AbortController();
  const harm = faults.run(enough.signal);
  const failed = harm.then(() => new Promise<never>(() => undefined));
  const ended = untilAllEnded(options, queue, crew, record, startedAt, enough.signal);
  try {
    await Promise.race([failed, ended]);
  } finally {
    enough.abort();
    // What they fail with is told by the race. Both tend the crew, which hires: nobody may after it was dismissed.
    await Promise.allSettled([harm, ended]);
    await crew.dismiss();
  }
  const elapsedMs = performance.now() - startedAt;
  const fates = await findFates(queue, toSubmitted(submissions, ids), record);
  const { kills, crashes } = crew;
  return createReport(fates, { seed: options.seed, elapsedMs, kills, crashes, ...faults.counts });
}

function createCrew(
  { backend, prefix, submissions, ...options }: ParsedTortureOptions,
  proxyUrl: string,
  folder: string,
  record: ExecutionRecord,
): WorkerCrew {
  const { workers: size, worker, module, nodeArguments } = options;
  const retention = retentionFor(submissions);
  const queue = { backend: { ...backend, url: proxyUrl }, prefix, worker, retention };
  return new WorkerCrew({ size, module, folder, queue, nodeArguments, record });
}

/** Until the time is up, or it was enough, at the longest. @throws the reason of the options' signal */
async function untilAllEnded(
  { submissions, timeoutMs, onProgress, signal }: ParsedTortureOptions,
  queue: StandaloneTaskQueue,
  crew: WorkerCrew,
  record: ExecutionRecord,
  startedAt: number,
  enough: AbortSignal,
): Promise<void> {
  while (!enough.aborted) {
    signal?.throwIfAborted();
    crew.tend();
    const { pending, running } = await queue.stats();
    const left = pending === null || running === null ? null : pending + running;
    const elapsedMs = performance.now() - startedAt;
    onProgress({
      elapsedMs,
      submitted: submissions.length,
      left,
      executions: record.begun,
      kills: crew.kills,
    });
    if (left === 0 || elapsedMs >= timeoutMs) return;
    await sleep(Math.min(LOOK_EVERY_MS, timeoutMs - elapsedMs), undefined, { signal: enough }).catch(
      () => undefined,
    );
  }
}

/** Once each: a repeated id, or a duplicate, is one task. */
function toSubmitted(
  submissions: readonly TaskSubmission[],
  ids: readonly { readonly id: string }[],
): SubmittedTask[] {
  const byKey = new Map<string, SubmittedTask>();
  submissions.forEach(({ definition }, index) => {
    const id = ids[index]?.id ?? '';
    byKey.set(`${definition.name}/${id}`, { definition, id });
  });
  return [...byKey.values()];
}

/** Everything is kept until it has been looked at. */
function retentionFor(submissions: readonly unknown[]) {
  const keep = { ageMs: DAY_MS, count: submissions.length + 1_000 };
  return { completed: keep, failed: keep };
}
