import { TASK_PRIORITIES } from '@peregrine/task-queue';
import { z } from 'zod';

export const MAX_BATCH = 1_000;
/** A year. */
const MAX_DELAY_MS = 31_536_000_000;
const MAX_KEY_LENGTH = 255;

const count = z.int().min(0);
const time = z.iso.datetime();

/** Printable ASCII, as a header may have it. */
export const idempotencyKey = z
  .string()
  .max(MAX_KEY_LENGTH)
  .regex(
    /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
    `must be 1 to ${MAX_KEY_LENGTH} printable ASCII characters`,
  );

const submission = {
  task: z
    .string()
    .max(100)
    .describe('Name of a task that may be submitted, such as content.reindex-workspace'),
  payload: z.unknown().describe('As the task wants it'),
  priority: z
    .enum(TASK_PRIORITIES)
    .optional()
    .describe("The task's own, when left out; CRITICAL needs the scope admin"),
  delayMs: z.int().min(0).max(MAX_DELAY_MS).optional().describe('Not before this many milliseconds'),
  runAt: z.iso.datetime({ offset: true }).optional().describe('Not before this time, within a year'),
};

const oneTime = { error: 'delayMs and runAt exclude each other', path: ['runAt'] };
const hasOneTime = (it: { delayMs?: unknown; runAt?: unknown }) =>
  it.delayMs === undefined || it.runAt === undefined;

export const submitSchema = z.strictObject(submission).refine(hasOneTime, oneTime).meta({ id: 'SubmitTask' });

const itemSchema = z
  .strictObject({
    ...submission,
    idempotencyKey: idempotencyKey.optional().describe('As the header Idempotency-Key of a single task'),
  })
  .refine(hasOneTime, oneTime)
  .meta({ id: 'SubmitTaskItem' });

export const submitBatchSchema = z
  .strictObject({ items: z.array(itemSchema).min(1).max(MAX_BATCH) })
  .meta({ id: 'SubmitTasks' });

export const submittedSchema = z
  .object({
    id: z.string().describe('{task}~{id}; in the paths below /tasks'),
    task: z.string(),
    url: z.string().describe('Path of its status'),
  })
  .meta({ id: 'SubmittedTask' });

export const submittedBatchSchema = z
  .object({ items: z.array(submittedSchema).describe('In the order of the request') })
  .meta({ id: 'SubmittedTasks' });

export const taskSchema = z
  .object({
    id: z.string(),
    task: z.string(),
    state: z.enum(['waiting', 'delayed', 'running', 'completed', 'failed', 'cancelled']),
    priority: z.enum(TASK_PRIORITIES),
    attempts: count.describe('Attempts that have ended'),
    maxAttempts: count,
    progress: z
      .union([z.number(), z.looseObject({})])
      .nullable()
      .describe('As the task told it last'),
    result: z.unknown().describe('Of a completed task; else null'),
    error: z.string().nullable().describe('Of the last attempt that failed, unless it has completed since'),
    cancelReason: z.string().nullable(),
    submittedAt: time,
    startedAt: time.nullable().describe('Of the last attempt'),
    finishedAt: time.nullable(),
    inline: z.boolean().describe('Whether the process that took it ran it itself'),
  })
  .meta({ id: 'Task' });

export const cancellationSchema = z
  .object({
    id: z.string(),
    state: z.enum(['cancelled', 'cancelling']).describe('cancelling: it runs, and has been told to end'),
  })
  .meta({ id: 'TaskCancellation' });

export const explanationSchema = z
  .object({
    id: z.string(),
    task: z.string(),
    reason: z.string().describe('Stable, for programs: waiting, paused, rate-limit, retrying, stalled …'),
    text: z.string().describe('The same for people'),
    priority: z.enum(TASK_PRIORITIES).optional(),
    ahead: count.optional().describe('Waiting tasks that go first'),
    deadline: time.optional().describe('When a waiting task should be taken by the plan of its class'),
    until: time.optional().describe('When a delayed task may start'),
    worker: z.string().optional().describe('Host and process that claimed it last; with the scope admin'),
    since: time.optional(),
    error: z.string().optional(),
  })
  .meta({ id: 'TaskExplanation' });

export const statisticsSchema = z
  .object({
    submitted: count,
    completed: count,
    failed: count,
    cancelled: count,
    retries: count.describe('Failed attempts that were tried again'),
    batchesProcessed: count.describe('Calls of batch handlers'),
    successRate: z.number().min(0).max(1).describe('Completed among all that completed or failed'),
    pending: count
      .nullable()
      .describe('Waiting and delayed, of the whole queue; null: the store does not answer'),
    running: count.nullable().describe('Of the whole queue; null as pending'),
    deadLettered: count.nullable().describe('Failed for good and kept, of the whole queue; null as pending'),
  })
  .meta({ id: 'TaskStatistics' });

export type SubmitTask = z.output<typeof submitSchema>;
export type SubmitTaskItem = z.output<typeof itemSchema>;
export type SubmitTasks = z.output<typeof submitBatchSchema>;
