import { Logger } from '@nestjs/common';
import { createBackend } from './backend/create-backend.js';
import { DeadLetters } from './dead-letters/dead-letters.js';
import { type AnyTaskDefinition, type TaskPayload } from './definition/task-definition.js';
import { type BatchTaskExecutor, type TaskContext, type TaskExecutor } from './definition/task-executor.js';
import { type HandlerCandidate, HandlerRegistry } from './execution/handler-registry.js';
import { InlineRunner } from './inline/inline-runner.js';
import { limiterFor } from './limits/create-rate-limiter.js';
import { createTaskStore } from './queue/create-task-store.js';
import { QueueCounts } from './queue/queue-counts.js';
import { TaskSubmitter } from './queue/task-submitter.js';
import { Scheduler } from './schedule/scheduler.js';
import { Schedules } from './schedule/schedules.js';
import { QueueTotals } from './statistics/queue-totals.js';
import { TaskStatistics } from './statistics/task-statistics.js';
import {
  parseTaskQueueOptions,
  type TaskQueueOptions,
  type TaskQueueOptionsInput,
} from './task-queue.options.js';
import { TaskQueue } from './task-queue.service.js';
import { ThrottledLog } from './throttled-log.js';
import { OutboxRelay } from './transactional/outbox-relay.js';
import { TaskOutbox } from './transactional/task-outbox.js';
import { TransactionalSubmitter } from './transactional/transactional-submitter.js';
import { RetentionTrimmer } from './worker/retention-trimmer.js';
import { TaskWorker } from './worker/task-worker.js';

/** What runs a task: a function, or an object as a provider would be. */
export type TaskHandlerInput<D extends AnyTaskDefinition> =
  ((payload: TaskPayload<D>, ctx: TaskContext) => Promise<unknown>) | TaskExecutor<D> | BatchTaskExecutor<D>;

/** A task with its handler, for `createTaskQueue`; without one this process only submits it. */
export interface TaskWithHandler<D extends AnyTaskDefinition = AnyTaskDefinition> {
  readonly definition: D;
  readonly handler?: TaskHandlerInput<D>;
}

/** The options of the module, with a short way to name the store. */
export type CreateTaskQueueOptions<D extends readonly AnyTaskDefinition[]> = Omit<
  TaskQueueOptionsInput,
  'backend' | 'tasks'
> & {
  /** The kind of the store, or its options as for the module. */
  readonly backend: 'redis' | 'postgres' | 'inline' | TaskQueueOptionsInput['backend'];
  /** The URL of the store, where `backend` only names its kind. */
  readonly connection?: string;
  readonly tasks: { readonly [K in keyof D]: TaskWithHandler<D[K]> };
};

/** A task queue with a life of its own. */
export class StandaloneTaskQueue extends TaskQueue {
  /** @internal */
  stop: () => Promise<void> = () => Promise.resolve();

  /**
   * Begins nothing more, waits for what runs as long as `closeTimeoutMs` allows, gives back the rest, and ends the
   * connections.
   */
  async close(): Promise<void> {
    await this.stop();
  }
}

/**
 * A client and a worker for a plain Node program, without decorators and without Nest's container. The worker is
 * there unless `worker` is false; then handlers are only for the inline mode and optional.
 *
 * Like the module, it does not wait for a store that is not there.
 *
 * @throws {InvalidTaskQueueOptionsError}
 * @throws {TaskHandlerProblemsError}
 */
export async function createTaskQueue<const D extends readonly AnyTaskDefinition[]>(
  input: CreateTaskQueueOptions<D>,
): Promise<StandaloneTaskQueue> {
  const { backend, connection, tasks: given, worker = true, ...rest } = input;
  const withHandlers = given as readonly TaskWithHandler[];
  const options = parseTaskQueueOptions({
    ...rest,
    worker,
    backend: storeOptions(backend, connection),
    tasks: withHandlers.map((it) => it.definition),
  });
  return openTaskQueue(options, withHandlers);
}

/** @internal */
export async function openTaskQueue(
  options: TaskQueueOptions,
  withHandlers: readonly TaskWithHandler[],
): Promise<StandaloneTaskQueue> {
  const driver = createBackend(options, new ThrottledLog(new Logger('TaskQueue')));
  const store = createTaskStore(options, driver);
  const limiter = limiterFor(options);
  const statistics = new TaskStatistics(options);
  const handlers = new HandlerRegistry(options);
  handlers.register(withHandlers.flatMap(toCandidate));
  const inline = new InlineRunner(options, handlers, statistics, limiter);
  const outbox = new TaskOutbox(options, store);
  const relay = new OutboxRelay(options, store, outbox);
  const transactional = new TransactionalSubmitter(options, store, outbox, relay);
  const submitter = new TaskSubmitter(options, store, inline, statistics, transactional);
  const scheduler = new Scheduler(options, store, submitter);
  const trimmer = new RetentionTrimmer(options, driver, store);
  const taskWorker = new TaskWorker(options, driver, store, handlers, statistics, trimmer, limiter);
  const counts = new QueueCounts(store);
  const schedules = new Schedules(store);
  const totals = new QueueTotals(store, statistics);
  const deadLetters = new DeadLetters(store, inline, statistics);
  const queue = new StandaloneTaskQueue(
    options,
    store,
    inline,
    submitter,
    statistics,
    counts,
    schedules,
    deadLetters,
    totals,
    outbox,
    relay,
  );
  queue.stop = async () => {
    const parts = [taskWorker, inline, scheduler, relay];
    await Promise.all(parts.map((it) => it.beforeApplicationShutdown()));
    await Promise.all([store.onApplicationShutdown(), limiter.close()]);
  };
  totals.onApplicationBootstrap();
  scheduler.onApplicationBootstrap();
  await relay.onApplicationBootstrap();
  await taskWorker.onApplicationBootstrap();
  return queue;
}

function storeOptions(
  backend: CreateTaskQueueOptions<readonly []>['backend'],
  connection: string | undefined,
): TaskQueueOptionsInput['backend'] {
  if (typeof backend !== 'string') return backend;
  return backend === 'inline' ? { type: backend } : { type: backend, url: connection ?? '' };
}

function toCandidate({ definition, handler }: TaskWithHandler): HandlerCandidate[] {
  if (!handler) return [];
  const name = handler.constructor === Object ? `the handler` : handler.constructor.name;
  if (typeof handler !== 'function') return [{ definition, name, instance: handler }];
  return [{ definition, name: handler.name || 'a function', instance: { execute: handler } }];
}
