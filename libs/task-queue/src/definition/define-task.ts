import { z } from 'zod';
import { InvalidTaskDefinitionError } from '../task-queue.errors.js';
import {
  type PayloadUpgrade,
  type TaskDedupe,
  type TaskDefinition,
  type TaskRateLimit,
} from './task-definition.js';
import { TASK_PRIORITIES } from './task-priority.js';

/** A day, the longest delay between two attempts. */
export const MAX_RETRY_DELAY_MS = 86_400_000;
/** Delay before the second attempt, and where a custom backoff gives none, milliseconds. */
export const DEFAULT_RETRY_DELAY_MS = 1_000;
const MAX_TIMEOUT_MS = 2_147_483_647;
const MAX_VERSION = 1_000_000;
const NAME = /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/;

const milliseconds = z.number().int().nonnegative();
const aFunction = <F>() => z.custom<F>((it) => typeof it === 'function', 'must be a function');

const backoffBounds = {
  jitter: z.number().min(0).max(1).default(0.2),
  maxDelayMs: milliseconds.max(MAX_RETRY_DELAY_MS).default(MAX_RETRY_DELAY_MS),
};

const backoffSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.enum(['exponential', 'fixed']),
    delayMs: milliseconds.max(MAX_RETRY_DELAY_MS),
    ...backoffBounds,
  }),
  z.strictObject({
    type: z.literal('custom'),
    delayMs: aFunction<(failedAttempts: number, error: Error) => number>(),
    ...backoffBounds,
  }),
]);

const rateLimitSchema = z.strictObject({
  ratePerSecond: z.number().positive().max(1_000_000).default(100),
  burst: z.number().int().min(1).max(1_000_000).default(200),
  key: aFunction<(payload: unknown) => string>().optional(),
  cost: aFunction<(payload: unknown) => number>().optional(),
  pauseOnRetryAfter: z.boolean().optional(),
});

const dedupeSchema = z.strictObject({
  key: aFunction<(payload: unknown) => string>(),
  windowMs: milliseconds.min(1).max(MAX_TIMEOUT_MS).optional(),
});

const definitionSchema = z
  .strictObject({
    name: z
      .string()
      .max(100)
      .regex(NAME, 'must be like content.extract-text: a-z, 0-9 and -, joined by dots'),
    // By shape, not by class: the app may bring its own copy of zod.
    payload: z.custom<z.ZodType>(
      (it) => it instanceof Object && 'safeParseAsync' in it,
      'must be a zod schema',
    ),
    version: z.number().int().min(1).max(MAX_VERSION).default(1),
    upgrades: z.record(z.coerce.number().int().min(1), aFunction<PayloadUpgrade>()).default({}),
    priority: z.enum(TASK_PRIORITIES).default('NORMAL'),
    attempts: z.number().int().min(1).max(100).default(3),
    backoff: backoffSchema.prefault({ type: 'exponential', delayMs: DEFAULT_RETRY_DELAY_MS }),
    timeoutMs: milliseconds.min(1).max(MAX_TIMEOUT_MS).default(300_000),
    maxCrashes: z.number().int().min(1).max(100).default(5),
    rateLimit: rateLimitSchema.optional(),
    batch: z
      .strictObject({ size: z.number().int().min(1).max(1_000), maxWaitMs: milliseconds.max(60_000) })
      .optional(),
    dedupe: dedupeSchema.optional(),
    public: z.boolean().default(false),
  })
  .superRefine(({ version, upgrades }, context) => {
    for (const message of upgradeProblems(version, upgrades)) {
      context.addIssue({ code: 'custom', path: ['upgrades'], message });
    }
  });

type FunctionsOf = 'payload' | 'rateLimit' | 'dedupe' | 'upgrades';

/** See the table of options in the README. */
export type TaskDefinitionInput<S extends z.ZodType> = Omit<z.input<typeof definitionSchema>, FunctionsOf> & {
  payload: S;
  upgrades?: Readonly<Record<number, PayloadUpgrade>>;
  rateLimit?: Partial<TaskRateLimit<z.output<S>>>;
  dedupe?: TaskDedupe<z.output<S>>;
};

/**
 * Describes a kind of task.
 *
 * Defaults: version 1, priority `NORMAL`, 3 attempts, exponential backoff from 1,000 ms up to a day with a jitter of
 * 0.2, a timeout of 300,000 ms an attempt, 3 crashes, no batches, no limit, not public.
 *
 * @throws {InvalidTaskDefinitionError} with every problem
 */
export function defineTask<S extends z.ZodType>(input: TaskDefinitionInput<S>): TaskDefinition<S> {
  const parsed = definitionSchema.safeParse(input);
  if (!parsed.success) {
    throw new InvalidTaskDefinitionError(String(input.name), z.prettifyError(parsed.error), {
      cause: parsed.error,
    });
  }
  return Object.freeze({ ...parsed.data, payload: input.payload });
}

/** Every version from the oldest that is upgraded must lead to the next; the oldest need not be 1. */
function upgradeProblems(version: number, upgrades: Readonly<Record<number, PayloadUpgrade>>): string[] {
  const from = Object.keys(upgrades).map(Number);
  const oldest = Math.min(...from, version - 1);
  const problems = from
    .filter((it) => it >= version)
    .map((it) => `there is one from version ${it}, but the task is of version ${version}`);
  for (let step = Math.max(oldest, 1); step < version; step++) {
    if (!from.includes(step)) problems.push(`the one from version ${step} is missing`);
  }
  return problems;
}
