import { z } from 'zod';
import { jobId, TASK_ID } from '../definition/task-id.js';
import { describeIssue } from '../definition/task-payload.js';
import { InvalidDeadLetterQueryError } from '../task-queue.errors.js';
import { type DeadLetterFilter, type DeadLetterListOptions, type RedriveOptions } from './dead-letter.js';
import { type DeadLetterPosition, type DeadLetterQuery } from './dead-letter-source.js';

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1_000;
const MAX_RATE = 1_000_000;

const task = z.string().min(1).max(100);
const id = z.string().regex(TASK_ID, 'must have 1 to 200 characters out of A-Z a-z 0-9 . _ @ = + -');

const filterShape = {
  task: task.optional(),
  fingerprint: z
    .string()
    .regex(/^[\da-f]{16}$/, 'must be 16 hexadecimal digits')
    .optional(),
  error: z.string().min(1).max(1_000).optional(),
  failedSince: z.date().optional(),
  failedBefore: z.date().optional(),
};
const filterSchema = z.strictObject(filterShape);
const listSchema = z.strictObject({
  ...filterShape,
  limit: z.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  cursor: z.string().optional(),
});
const idsSchema = z.strictObject({ task, ids: z.array(id) });
const idSchema = z.strictObject({ task, id });
const redriveSchema = z.strictObject({
  dryRun: z.boolean().default(false),
  ratePerSecond: z.number().positive().max(MAX_RATE).optional(),
  signal: z.instanceof(AbortSignal).optional(),
  onProgress: z
    .custom<RedriveOptions['onProgress']>((it) => it === undefined || typeof it === 'function')
    .optional(),
});
const purgeSchema = z.strictObject({ dryRun: z.boolean().default(false) });

/** What the store filters by, and the fingerprint, which it does not know. */
export interface ParsedFilter {
  readonly query: Omit<DeadLetterQuery, 'after' | 'limit'>;
  readonly fingerprint: string | undefined;
}

export type ParsedSelection =
  | { readonly kind: 'one'; readonly task: string; readonly id: string; readonly jobId: string }
  | { readonly kind: 'some'; readonly jobIds: readonly string[] }
  | ({ readonly kind: 'filter' } & ParsedFilter);

/** @throws {InvalidDeadLetterQueryError} */
export function parseFilter(input: DeadLetterFilter): ParsedFilter {
  return toFilter(parse(filterSchema, input));
}

/** @throws {InvalidDeadLetterQueryError} */
export function parseListOptions(
  input: DeadLetterListOptions,
): ParsedFilter & { limit: number; after: DeadLetterPosition | undefined } {
  const { limit, cursor, ...filter } = parse(listSchema, input);
  return { ...toFilter(filter), limit, after: cursor === undefined ? undefined : parseCursor(cursor) };
}

/** @throws {InvalidDeadLetterQueryError} */
export function parseSelection(input: object): ParsedSelection {
  if ('ids' in input) {
    const selection = parse(idsSchema, input);
    const jobIds = new Set(selection.ids.map((it) => jobId({ name: selection.task }, it)));
    return { kind: 'some', jobIds: [...jobIds] };
  }
  if ('id' in input) {
    const one = parse(idSchema, input);
    return { kind: 'one', ...one, jobId: jobId({ name: one.task }, one.id) };
  }
  return { kind: 'filter', ...parseFilter(input) };
}

/** @throws {InvalidDeadLetterQueryError} */
export function parseRedriveOptions(input: RedriveOptions): z.output<typeof redriveSchema> {
  return parse(redriveSchema, input);
}

/** @throws {InvalidDeadLetterQueryError} */
export function parsePurgeOptions(input: { readonly dryRun?: boolean }): z.output<typeof purgeSchema> {
  return parse(purgeSchema, input);
}

/** @throws {InvalidDeadLetterQueryError} */
export function parseTaskAndId(task: string, id: string): string {
  return jobId({ name: parse(idSchema, { task, id }).task }, id);
}

/** Opaque to callers; says after which dead letter the next page begins, so that new ones do not shift it. */
export function toCursor({ failedAtMs, jobId }: DeadLetterPosition): string {
  return Buffer.from(`${failedAtMs} ${jobId}`).toString('base64url');
}

function parseCursor(cursor: string): DeadLetterPosition {
  const [, failedAtMs, jobId] =
    /^(\d{1,15}) ([^ ]+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (failedAtMs === undefined || jobId === undefined) {
    throw new InvalidDeadLetterQueryError(['cursor: is not one that a list has answered with']);
  }
  return { failedAtMs: Number(failedAtMs), jobId };
}

function toFilter({
  task,
  fingerprint,
  error,
  failedSince,
  failedBefore,
}: z.output<typeof filterSchema>): ParsedFilter {
  return {
    fingerprint,
    query: {
      ...(task !== undefined && { task }),
      ...(error !== undefined && { error }),
      ...(failedSince && { sinceMs: failedSince.getTime() }),
      ...(failedBefore && { beforeMs: failedBefore.getTime() }),
    },
  };
}

function parse<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new InvalidDeadLetterQueryError(parsed.error.issues.map(describeIssue), { cause: parsed.error });
}
