import { createHash, randomUUID } from 'node:crypto';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { assertTaskId } from '../definition/task-id.js';
import { encodePayload } from '../definition/task-payload.js';
import { TASK_PRIORITIES, type TaskPriority } from '../definition/task-priority.js';
import { InvalidSubmissionError } from '../task-queue.errors.js';
import { type NewTask } from './new-task.js';

/** How and when a submitted task is to run. */
export interface SubmitOptions {
  /**
   * Makes submitting repeatable: while a task of this definition with this id is kept, another is not enqueued.
   *
   * @default a random UUID
   */
  readonly id?: string;
  /** The same with any text of 1 to 1,000 characters; the id is its hash. Not together with `id`. */
  readonly idempotencyKey?: string;
  /** Not before this many milliseconds. @default 0 */
  readonly delayMs?: number;
  /** Not before this time; a past one is now. Not together with `delayMs`. */
  readonly runAt?: Date;
  /** @default the definition's */
  readonly priority?: TaskPriority;
}

/** A year. */
const MAX_DELAY_MS = 31_536_000_000;
const MAX_KEY = 1_000;

/**
 * Checks everything and turns a submission into a task.
 *
 * @param nowMs by which `runAt` is meant, epoch milliseconds
 * @throws {InvalidPayloadError}
 * @throws {InvalidTaskIdError}
 * @throws {InvalidSubmissionError}
 */
export async function toNewTask(
  definition: AnyTaskDefinition,
  payload: unknown,
  options: SubmitOptions,
  maxPayloadBytes: number,
  nowMs = Date.now(),
): Promise<NewTask> {
  const id = idOf(definition, options);
  assertTaskId(definition, id);
  const delayMs = delayOf(definition, options, nowMs);
  const priority = options.priority ?? definition.priority;
  if (!TASK_PRIORITIES.includes(priority))
    throw refused(definition, `there is no priority ${String(priority)}`);
  const { text, parsed } = await encodePayload(definition, payload, maxPayloadBytes);
  const dedupeKey = definition.dedupe && dedupeKeyOf(definition, parsed);
  const schemaVersion = definition.version;
  return { definition, id, payload: text, schemaVersion, priority, delayMs, ...(dedupeKey && { dedupeKey }) };
}

function idOf(definition: AnyTaskDefinition, { id, idempotencyKey }: SubmitOptions): string {
  if (idempotencyKey === undefined) return id ?? randomUUID();
  if (id !== undefined) throw refused(definition, 'id and idempotencyKey exclude each other');
  if (typeof idempotencyKey !== 'string' || idempotencyKey === '' || idempotencyKey.length > MAX_KEY) {
    throw refused(definition, `an idempotencyKey must have 1 to ${MAX_KEY} characters`);
  }
  return `key-${hash(idempotencyKey)}`;
}

function delayOf(definition: AnyTaskDefinition, { delayMs, runAt }: SubmitOptions, nowMs: number): number {
  if (delayMs !== undefined && runAt !== undefined) {
    throw refused(definition, 'delayMs and runAt exclude each other');
  }
  if (runAt !== undefined) {
    const untilThen = runAt instanceof Date ? runAt.getTime() - nowMs : NaN;
    if (untilThen <= MAX_DELAY_MS) return Math.max(Math.ceil(untilThen), 0);
    throw refused(definition, 'runAt must be a valid Date within a year');
  }
  const delay = delayMs ?? 0;
  if (delay >= 0 && delay <= MAX_DELAY_MS) return Math.floor(delay);
  throw refused(definition, `delayMs must be 0 to ${MAX_DELAY_MS}, got ${delay}`);
}

function dedupeKeyOf(definition: AnyTaskDefinition, payload: unknown): string {
  const key: unknown = definition.dedupe?.key(payload);
  if (typeof key === 'string') return hash(key);
  throw refused(definition, 'its dedupe.key did not answer with a string');
}

function refused(definition: AnyTaskDefinition, problem: string): InvalidSubmissionError {
  return new InvalidSubmissionError(definition.name, problem);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
