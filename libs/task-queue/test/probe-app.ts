import { setTimeout as sleep } from 'node:timers/promises';
import { type INestApplicationContext, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  TaskQueue,
  TaskQueueModule,
  type TaskQueueOptions,
  type TaskQueueOptionsInput,
} from '../src/index.js';
import { TASK_QUEUE_OPTIONS } from '../src/task-queue.tokens.js';
import { Probe, probeHandlers, probeTasks } from './probe-tasks.js';

/** Longer than any task of the tests takes, also on a machine that is busy with something else. */
export const WAIT = { timeoutMs: 40_000 };
/** The same for one operation on a store. */
export const OPERATION_TIMEOUT_MS = 30_000;

export interface ProbeApp {
  readonly app: INestApplicationContext;
  readonly queue: TaskQueue;
  readonly probe: Probe;
  /** As parsed. */
  readonly options: TaskQueueOptions;
}

export type ProbeOptions = Partial<TaskQueueOptionsInput> & Pick<TaskQueueOptionsInput, 'backend'>;

/** An application with the probe's handlers, initialised; close it. */
export async function startProbeApp(options: ProbeOptions, providers?: readonly Type[]): Promise<ProbeApp> {
  const probe = new Probe();
  const app = await Test.createTestingModule({
    imports: [
      TaskQueueModule.forRoot({ tasks: probeTasks, operationTimeoutMs: OPERATION_TIMEOUT_MS, ...options }),
    ],
    providers: [...(providers ?? probeHandlers(probe, options.tasks ?? probeTasks))],
  }).compile();
  app.useLogger(false);
  await app.init();
  return { app, queue: app.get(TaskQueue), probe, options: app.get<TaskQueueOptions>(TASK_QUEUE_OPTIONS) };
}

/** Waits until the condition holds; the test's own time limit ends what never does. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}

/** A promise and its switch. */
export function gate(): { opened: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

/** @throws with what to do when a service of the tests is missing */
export function serviceUrl(name: 'DATABASE_URL' | 'REDIS_URL'): string {
  const url = process.env[name];
  if (!url) throw new Error(`${name} is not set: run npm test, or set it to a server that the tests may use`);
  return url;
}
