import { Injectable, type Type } from '@nestjs/common';
import { z } from 'zod';
import {
  type AnyTaskDefinition,
  type BatchItem,
  type BatchItemResult,
  type BatchTaskExecutor,
  defineTask,
  TaskHandler,
  type TaskContext,
  type TaskExecutor,
  type TaskPayload,
} from '../src/index.js';

/** What the handlers of the probe tasks do, by the `key` of the payload. */
export class Probe {
  readonly singles = new Map<string, (ctx: TaskContext) => Promise<unknown>>();
  onBatch: (items: readonly BatchItem<typeof batched>[]) => Promise<readonly BatchItemResult[]> = (items) =>
    Promise.resolve(items.map(({ payload }) => ({ ok: true, value: payload.number })));
  onSlowBatch: (items: readonly BatchItem<typeof slowBatch>[]) => Promise<readonly BatchItemResult[]> = () =>
    Promise.resolve([]);
  /** Sizes of the gathered batches. */
  readonly gathered: number[] = [];
  /** Keys and attempts, in the order in which the handlers were called. */
  readonly calls: { key: string; attempt: number }[] = [];

  callsOf(key: string): number {
    return this.calls.filter((it) => it.key === key).length;
  }
}

const keyed = z.strictObject({ key: z.string().min(1), note: z.string().optional() });
const quick = { type: 'fixed', delayMs: 5, jitter: 0 } as const;

export const single = defineTask({ name: 'probe.single', payload: keyed, backoff: quick });
export const hasty = defineTask({
  name: 'probe.hasty',
  payload: keyed,
  backoff: quick,
  attempts: 2,
  timeoutMs: 50,
});
export const batched = defineTask({
  name: 'probe.batched',
  payload: z.strictObject({ number: z.int() }),
  backoff: quick,
  batch: { size: 10, maxWaitMs: 200 },
});

/** Only its size ends a batch, however slowly the tasks come. */
export const gathered = defineTask({
  name: 'probe.gathered',
  payload: z.strictObject({ number: z.int() }),
  batch: { size: 10, maxWaitMs: 60_000 },
});

/** Its handler soon takes too long. */
export const slowBatch = defineTask({
  name: 'probe.slow-batch',
  payload: z.strictObject({ number: z.int() }),
  backoff: quick,
  timeoutMs: 50,
  batch: { size: 10, maxWaitMs: 200 },
});

export const unique = defineTask({
  name: 'probe.unique',
  payload: keyed,
  dedupe: { key: ({ key }) => key },
});

/** Only its window tells two tasks apart, not whether the first has ended. */
export const windowed = defineTask({
  name: 'probe.windowed',
  payload: keyed,
  dedupe: { key: ({ key }) => key, windowMs: 60_000 },
});

/** Waits long before it is tried again. */
export const patient = defineTask({
  name: 'probe.patient',
  payload: keyed,
  backoff: { type: 'custom', delayMs: () => 60_000, jitter: 0 },
});

export const probeTasks = [single, hasty, batched, gathered, slowBatch, unique, windowed, patient] as const;

/**
 * One set of handlers for an application, all told what to do by its probe. Only of its tasks: a worker claims more
 * than it runs where there is a batch handler.
 */
export function probeHandlers(probe: Probe, tasks: readonly AnyTaskDefinition[]): Type[] {
  const run = (payload: TaskPayload<typeof single>, ctx: TaskContext): Promise<unknown> => {
    probe.calls.push({ key: payload.key, attempt: ctx.attempt });
    const behaviour = probe.singles.get(payload.key);
    return behaviour ? behaviour(ctx) : Promise.resolve(payload.note ?? payload.key);
  };

  @TaskHandler(single)
  @Injectable()
  class SingleHandler implements TaskExecutor<typeof single> {
    execute = run;
  }

  @TaskHandler(hasty)
  @Injectable()
  class HastyHandler implements TaskExecutor<typeof hasty> {
    execute = run;
  }

  @TaskHandler(unique)
  @Injectable()
  class UniqueHandler implements TaskExecutor<typeof unique> {
    execute = run;
  }

  @TaskHandler(windowed)
  @Injectable()
  class WindowedHandler implements TaskExecutor<typeof windowed> {
    execute = run;
  }

  @TaskHandler(patient)
  @Injectable()
  class PatientHandler implements TaskExecutor<typeof patient> {
    execute = run;
  }

  @TaskHandler(batched)
  @Injectable()
  class BatchedHandler implements BatchTaskExecutor<typeof batched> {
    executeBatch(items: readonly BatchItem<typeof batched>[]): Promise<readonly BatchItemResult[]> {
      return probe.onBatch(items);
    }
  }

  @TaskHandler(gathered)
  @Injectable()
  class GatheredHandler implements BatchTaskExecutor<typeof gathered> {
    executeBatch(items: readonly BatchItem<typeof gathered>[]): Promise<readonly BatchItemResult[]> {
      probe.gathered.push(items.length);
      return Promise.resolve(items.map(({ payload }) => ({ ok: true, value: payload.number * 2 })));
    }
  }

  @TaskHandler(slowBatch)
  @Injectable()
  class SlowBatchHandler implements BatchTaskExecutor<typeof slowBatch> {
    executeBatch(items: readonly BatchItem<typeof slowBatch>[]): Promise<readonly BatchItemResult[]> {
      return probe.onSlowBatch(items);
    }
  }

  const handlers: readonly [AnyTaskDefinition, Type][] = [
    [single, SingleHandler],
    [hasty, HastyHandler],
    [unique, UniqueHandler],
    [windowed, WindowedHandler],
    [patient, PatientHandler],
    [batched, BatchedHandler],
    [gathered, GatheredHandler],
    [slowBatch, SlowBatchHandler],
  ];
  const names = new Set(tasks.map((it) => it.name));
  return handlers.filter(([{ name }]) => names.has(name)).map(([, handler]) => handler);
}
