import { TASK_PRIORITIES } from '@peregrine/task-queue';
import { z } from 'zod';
import { pageQuery } from '../app/paging.js';

const MAX_IDS = 1_000;
const MAX_RATE = 1_000_000;

const count = z.int().min(0);
const time = z.iso.datetime();
/** In the one form that a payload has it in. */
const instant = z.iso.datetime({ offset: true }).transform((it) => new Date(it).toISOString());

const filterShape = {
  task: z.string().min(1).max(100).optional().describe('Name of the task'),
  fingerprint: z
    .string()
    .regex(/^[\da-f]{16}$/, 'expected 16 hexadecimal digits')
    .optional()
    .describe('Of a group'),
  error: z.string().min(1).max(1_000).optional().describe("A part of the error's message"),
  failedSince: instant.optional(),
  failedBefore: instant.optional().describe('Itself not included'),
};

export const filterQuery = z.strictObject(filterShape);
export const listQuery = pageQuery(50, 200).extend(filterShape);

/** What bounds a selection: an empty body must not mean everything. */
const selectionShape = {
  ...filterShape,
  ids: z
    .array(z.string().min(1).max(200))
    .min(1)
    .max(MAX_IDS)
    .optional()
    .describe('Of one task, as inspect has them; without other filters'),
  all: z.literal(true).optional().describe('Needed to select all dead letters'),
  dryRun: z.boolean().default(false).describe('Counts and changes nothing'),
};

const check = <S extends z.ZodType<Selection>>(schema: S) =>
  schema
    .refine(isBounded, 'expected task, ids, fingerprint, error, failedSince or failedBefore; or all: true')
    .refine(hasOwnTask, { error: 'ids go with their task, and with no other filter', path: ['ids'] });

interface Selection {
  task?: string | undefined;
  ids?: string[] | undefined;
  fingerprint?: string | undefined;
  error?: string | undefined;
  failedSince?: string | undefined;
  failedBefore?: string | undefined;
  all?: true | undefined;
}

function isBounded({ task, ids, fingerprint, error, failedSince, failedBefore, all }: Selection): boolean {
  const filters = [task, ids, fingerprint, error, failedSince, failedBefore];
  return (all === true) !== filters.some((it) => it !== undefined);
}

function hasOwnTask({ task, ids, fingerprint, error, failedSince, failedBefore }: Selection): boolean {
  const others = [fingerprint, error, failedSince, failedBefore].some((it) => it !== undefined);
  return ids === undefined || (task !== undefined && !others);
}

export const purgeSchema = check(z.strictObject(selectionShape)).meta({ id: 'PurgeDeadLetters' });

export const redriveSchema = check(
  z.strictObject({
    ...selectionShape,
    ratePerSecond: z
      .number()
      .positive()
      .max(MAX_RATE)
      .optional()
      .describe('Tasks a second at most; as fast as the queue can, when left out'),
  }),
).meta({ id: 'RedriveDeadLetters' });

const letter = {
  id: z.string().describe('{task}~{id}'),
  task: z.string(),
  error: z.string().describe('Message of the last error'),
  fingerprint: z.string().describe('Of task and error; the same for errors that differ in numbers and ids'),
  attempts: count,
  failedAt: time,
  submittedAt: time,
  priority: z.enum(TASK_PRIORITIES),
  redrives: count.describe('How often it was a dead letter before'),
};

export const deadLetterPageSchema = z
  .object({
    items: z.array(z.object(letter).meta({ id: 'DeadLetter' })).describe('The latest failure first'),
    nextCursor: z.string().nullable().describe('Of the page after this one; null on the last'),
  })
  .meta({ id: 'DeadLetterPage' });

export const deadLetterGroupsSchema = z
  .object({
    items: z
      .array(
        z
          .object({
            fingerprint: z.string(),
            task: z.string(),
            error: z.string().describe('Of the latest'),
            count,
            firstFailedAt: time,
            lastFailedAt: time,
            ids: z.array(z.string()).describe('Of the latest five'),
          })
          .meta({ id: 'DeadLetterGroup' }),
      )
      .describe('The largest first'),
  })
  .meta({ id: 'DeadLetterGroups' });

export const deadLetterDetailSchema = z
  .object({
    ...letter,
    payload: z.unknown(),
    schemaVersion: count,
    reason: z.string().describe('Why it is here: attempts used up, a permanent error, dead workers …'),
    stacks: z.array(z.string()).describe('Of the latest attempts, the last one last'),
    log: z.array(z.string()),
    progress: z.union([z.number(), z.looseObject({})]).nullable(),
    maxAttempts: count,
    claims: count.describe('How often a worker has taken it'),
    stalls: count.describe('Claims that ended with the death of the worker'),
    worker: z.string().optional().describe('Host and process that claimed it last'),
    startedAt: time.optional(),
    failures: z
      .array(z.object({ error: z.string(), failedAt: time, attempts: count }))
      .describe('How it failed before it was redriven, the last one last'),
  })
  .meta({ id: 'DeadLetterDetail' });

export const redriveResultSchema = z
  .object({
    matched: count,
    redriven: count.describe('None of a dry run'),
    skipped: count,
    skips: z.looseObject({}).describe('How many by reason: not-found, not-dead, duplicate'),
  })
  .meta({ id: 'RedriveResult' });

export const purgeResultSchema = z.object({ matched: count, purged: count }).meta({ id: 'PurgeResult' });

export type Filter = z.output<typeof filterQuery>;
export type List = z.output<typeof listQuery>;
export type Purge = z.output<typeof purgeSchema>;
export type Redrive = z.output<typeof redriveSchema>;
