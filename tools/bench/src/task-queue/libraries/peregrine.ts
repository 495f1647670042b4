import { createTaskQueue, defineTask, type StandaloneTaskQueue } from '@peregrine/task-queue';
import { z } from 'zod';

import type { StoreKind } from '../../harness/stores.ts';
import type { Payload, Subject } from './contract.ts';

const payload = z.object({ number: z.int(), text: z.string() });
const single = defineTask({ name: 'bench.single', payload });

/** With its defaults: validated payloads, three attempts, deadlines, ended tasks kept for an hour and counted. */
export function openPeregrine(kind: StoreKind, url: string): Promise<Subject> {
  const opened: StandaloneTaskQueue[] = [];
  const open = async (
    worker: false | { concurrency: number },
    task: { definition: typeof single; handler?: object },
  ) => {
    const queue = await createTaskQueue({
      backend: kind,
      connection: url,
      worker,
      // The promises are scaled down so that a flood of seconds shows what one of minutes does.
      priorities: {
        CRITICAL: { maxWaitMs: 500 },
        HIGH: { maxWaitMs: 1_000 },
        NORMAL: { maxWaitMs: 2_000 },
        LOW: { maxWaitMs: 3_000 },
        BATCH: { maxWaitMs: 4_000 },
      },
      tasks: [task as { definition: typeof single }],
    });
    opened.push(queue);
    return queue;
  };
  return openClient();

  async function openClient(): Promise<Subject> {
    const client = await open(false, { definition: single });
    return {
      submit: (it) => client.submit(single, it),
      submitMany: (all) => client.submitBatch(single, all),
      submitOfClass: (it, priority) => client.submit(single, it, { priority }),
      counts: () => client.stats(),
      work: async ({ concurrency, handler }) => {
        await open({ concurrency }, { definition: single, handler: { execute: handler } });
      },
      workBatches: async (size, handler) => {
        const definition = defineTask({ name: single.name, payload, batch: { size, maxWaitMs: 5 } });
        const executeBatch = async (items: readonly { payload: Payload }[]) => {
          await handler(items.map((it) => it.payload));
          return items.map(() => ({ ok: true, value: null }));
        };
        await open({ concurrency: 1 }, { definition, handler: { executeBatch } });
      },
      close: async () => {
        await Promise.all(opened.map((it) => it.close()));
      },
    };
  }
}
