import { z } from 'zod';
import { systemClock, type TaskClock } from './clock.js';
import { type AnyTaskDefinition } from './definition/task-definition.js';
import { TASK_PRIORITIES, type TaskPriority } from './definition/task-priority.js';
import { type InlineControl, uncontrolled } from './inline/inline-control.js';
import { submissionShare } from './submission-share.js';
import { InvalidTaskQueueOptionsError } from './task-queue.errors.js';
import { type TransactionSource } from './transactional/transaction-source.js';

const milliseconds = z.number().int().positive().max(2_147_483_647);
const count = z.number().int().positive();

const redisSchema = z.strictObject({
  type: z.literal('redis'),
  url: z.url({ protocol: /^rediss?$/ }),
});

const postgresSchema = z.strictObject({
  type: z.literal('postgres'),
  url: z.url({ protocol: /^postgres(ql)?$/ }),
  /** BullMQ's tables live here; created and migrated at start. */
  schema: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_$]{0,62}$/, 'must be a plain identifier of at most 63 characters')
    .default('bullmq'),
  /** Connections of the callers of a process, and once more of its worker, which takes one more to listen. */
  poolMax: count.max(1_000).default(5),
});

/** No store: every task runs in the process that submits it, and is known to it alone. */
const inlineSchema = z.strictObject({ type: z.literal('inline') });

/** Half a day: with it the numbers in the store stay below BullMQ's largest, see `queue/task-deadlines.ts`. */
const MAX_WAIT_MS = 43_200_000;

const promiseOf = (maxWaitMs: number) =>
  z.strictObject({ maxWaitMs: milliseconds.max(MAX_WAIT_MS) }).default({ maxWaitMs });

const prioritiesSchema = z
  .strictObject({
    CRITICAL: promiseOf(500),
    HIGH: promiseOf(2_000),
    NORMAL: promiseOf(10_000),
    LOW: promiseOf(60_000),
    BATCH: promiseOf(300_000),
  })
  .refine((it) => TASK_PRIORITIES.every((name, index) => isAtLeast(it, name, TASK_PRIORITIES[index - 1])), {
    message: 'a class must not promise a shorter wait than a more urgent one',
  });

/** The largest number that PostgreSQL's integers hold. */
const NO_CEILING = 2_147_483_647;

const workerSchema = z.strictObject({
  /** Handler calls at once; a batch counts as one. */
  concurrency: count.max(10_000).default(10),
  /** A worker that died keeps its tasks for this long; renewed at half time while it lives. */
  lockDurationMs: milliseconds.min(100).default(30_000),
  /** How often dead workers' tasks are looked for. */
  stalledIntervalMs: milliseconds.min(50).default(5_000),
  /**
   * A ceiling over all else: a task fails for good when more workers than this died or lost it, whether it ran or
   * waited there. By default there is none; a task that kills its workers is found by `maxCrashes` of its definition.
   */
  maxStalledCount: z.number().int().nonnegative().max(NO_CEILING).default(NO_CEILING),
});

const retentionSchema = z.strictObject({ ageMs: milliseconds.min(1_000).max(2_147_483_647_000), count });

const isFunction = (it: unknown) => typeof it === 'function';

/** Runs the handler of a task, or of a batch of tasks, and answers what it answers. */
export type AroundHandler = <T>(definition: AnyTaskDefinition, run: () => Promise<T>) => Promise<T>;

const schema = z.strictObject({
  backend: z.discriminatedUnion('type', [redisSchema, postgresSchema, inlineSchema]),
  prefix: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 characters out of A-Z a-z 0-9 _ . -')
    .default('peregrine'),
  worker: z.union([z.boolean(), workerSchema]).default(false),
  tasks: z.array(
    z.custom<AnyTaskDefinition>((it) => it instanceof Object && 'payload' in it && 'timeoutMs' in it, {
      message: 'must come from defineTask',
    }),
  ),
  /** Longest waits that the classes promise; they decide the order. */
  priorities: prioritiesSchema.prefault({}),
  /**
   * Which tasks go to the store; the others run in the caller. A number is the percentage that does. A function is given
   * the task's name and its id, or its key where the definition has `dedupe`.
   */
  asynchronous: z
    .union([
      z.boolean(),
      z.number().min(0).max(100),
      z.custom<(taskName: string, id: string) => boolean>(isFunction, 'must be a function'),
    ])
    .default(true),
  /** What is submitted inside one of its transactions is seen when that commits, and never if it rolls back. */
  transactions: z
    .custom<TransactionSource>(
      (it) => it instanceof Object && 'current' in it && 'afterCommit' in it && 'run' in it,
      'must have the methods current, afterCommit and run',
    )
    .optional(),
  /** Called for every call of a handler, and runs it: the place for what surrounds the work, such as a context. */
  around: z.custom<AroundHandler>(isFunction, 'must be a function').optional(),
  /** How long a stop waits for running tasks before it aborts them and gives them back. */
  closeTimeoutMs: z.number().int().nonnegative().max(2_147_483_647).default(10_000),
  /** Bound of every operation of the caller on the store. */
  operationTimeoutMs: milliseconds.default(5_000),
  maxPayloadBytes: count.default(1_048_576),
  retention: z
    .strictObject({
      completed: retentionSchema.default({ ageMs: 3_600_000, count: 10_000 }),
      failed: retentionSchema.default({ ageMs: 604_800_000, count: 10_000 }),
    })
    .prefault({}),
});

/** See the table in the README. */
export type TaskQueueOptionsInput = Omit<z.input<typeof schema>, 'tasks'> & {
  /** The tasks that this process may submit; a worker must have a handler for each. */
  tasks: readonly AnyTaskDefinition[];
};
export type WorkerSettings = Readonly<z.output<typeof workerSchema>>;
export type BackendOptions = z.output<typeof schema>['backend'];
export type RedisBackendOptions = Readonly<z.output<typeof redisSchema>>;
/** Longest wait of each class, milliseconds. */
export type PriorityPromises = Readonly<z.output<typeof prioritiesSchema>>;
export type PostgresBackendOptions = Readonly<z.output<typeof postgresSchema>>;
export type TaskQueueOptions = Readonly<
  Omit<z.output<typeof schema>, 'worker' | 'asynchronous'> & {
    readonly asynchronous: (taskName: string, id: string) => boolean;
    /** `null`: this process runs no tasks of the queue. */
    worker: WorkerSettings | null;
    /** No option of the user's, but what the testing kit puts another in the place of. */
    readonly clock: TaskClock;
    readonly inlineControl: InlineControl;
  }
>;

/** @throws {InvalidTaskQueueOptionsError} with every problem */
export function parseTaskQueueOptions(input: TaskQueueOptionsInput): TaskQueueOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new InvalidTaskQueueOptionsError(z.prettifyError(parsed.error), { cause: parsed.error });
  }
  const doubles = duplicates(parsed.data.tasks.map((it) => it.name));
  if (doubles.length > 0) {
    throw new InvalidTaskQueueOptionsError(`tasks: defined more than once: ${doubles.join(', ')}`);
  }
  const { worker, asynchronous, backend } = parsed.data;
  const share = backend.type === 'inline' ? false : asynchronous;
  return Object.freeze({
    ...parsed.data,
    worker: backend.type === 'inline' ? null : workerSettings(worker),
    asynchronous: submissionShare(share),
    clock: systemClock,
    inlineControl: uncontrolled,
  });
}

function isAtLeast(
  promises: Record<TaskPriority, { maxWaitMs: number }>,
  name: TaskPriority,
  moreUrgent: TaskPriority | undefined,
): boolean {
  return !moreUrgent || promises[name].maxWaitMs >= promises[moreUrgent].maxWaitMs;
}

function workerSettings(worker: boolean | WorkerSettings): WorkerSettings | null {
  if (worker === false) return null;
  return Object.freeze(worker === true ? workerSchema.parse({}) : worker);
}

function duplicates(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
