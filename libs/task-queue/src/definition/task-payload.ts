import { type z } from 'zod';
import { InvalidPayloadError, PermanentTaskError, TaskTooNewError } from '../task-queue.errors.js';
import { type IsolationRecord } from '../execution/isolation.js';
import { type AnyTaskDefinition, type TaskPayload } from './task-definition.js';
import { type TaskPriority } from './task-priority.js';
import { type TraceContext } from '../tracing/trace-context.js';

/**
 * What lies in the store. The payload is JSON text inside a string, so that PostgreSQL's jsonb neither reorders
 * keys nor refuses U+0000 and lone surrogates, which Redis takes.
 */
export interface StoredPayload {
  /** Of this envelope. */
  readonly version: 1;
  /** Version of the payload's schema. @default 1 */
  readonly schema?: number;
  /** The class that the task was submitted with. */
  readonly priority?: TaskPriority;
  readonly payload: string;
  /** Why a worker sent the task back unrun, last. */
  readonly putOff?: PutOff;
  /** What earlier runs say about the company that it may run in. */
  readonly isolation?: IsolationRecord;
  /** Where it was submitted. */
  readonly trace?: TraceContext;
}

/** Why a task was claimed and not run. */
export interface PutOff {
  readonly reason: 'unknown-task' | 'newer-version' | 'retry-after' | 'rate-limit' | 'suspects';
  /** When the first worker did so for this reason without a run in between, epoch milliseconds. */
  readonly since: number;
  /** Attempts that had failed by then. */
  readonly attempts: number;
  /** Of a rate limit: the slot that the next claim has, by the clock of the limits. */
  readonly slotUs?: number;
  /** The only claim that the slot is for, by its fence. */
  readonly claim?: number;
}

/** A payload as it came out of the store. */
export interface EncodedPayload {
  /** JSON text. */
  readonly text: string;
  readonly schemaVersion: number;
}

/**
 * The JSON text of a payload, after the schema has accepted what a worker will read.
 *
 * @throws {InvalidPayloadError}
 */
export async function encodePayload(
  definition: AnyTaskDefinition,
  payload: unknown,
  maxBytes: number,
): Promise<{ text: string; parsed: unknown }> {
  const text = toJson(definition, payload);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    throw new InvalidPayloadError(definition.name, [
      `has ${bytes} bytes as JSON, \`maxPayloadBytes\` allows ${maxBytes}: keep the content elsewhere and submit a reference to it`,
    ]);
  }
  return { text, parsed: await parse(definition, JSON.parse(text)) };
}

/**
 * The payload as the handler gets it: brought up to the definition's version step by step, then validated.
 *
 * @throws {InvalidPayloadError} also when an upgrade function throws
 * @throws {TaskTooNewError} a newer process submitted it
 */
export async function decodePayload<D extends AnyTaskDefinition>(
  definition: D,
  { text, schemaVersion }: EncodedPayload,
): Promise<TaskPayload<D>> {
  if (schemaVersion > definition.version) {
    throw new TaskTooNewError(definition.name, schemaVersion, definition.version);
  }
  return (await parse(definition, upgrade(definition, JSON.parse(text), schemaVersion))) as TaskPayload<D>;
}

/**
 * The JSON text of a handler's result; `undefined` becomes `null`.
 *
 * @throws {PermanentTaskError} when it is not JSON: running the handler again would not change that
 */
export function encodeResult(definition: AnyTaskDefinition, value: unknown): string {
  try {
    return JSON.stringify(value ?? null) ?? 'null';
  } catch (error) {
    throw new PermanentTaskError(`The result of ${definition.name} cannot be written as JSON`, {
      cause: error,
    });
  }
}

function upgrade(definition: AnyTaskDefinition, stored: unknown, from: number): unknown {
  let payload = stored;
  for (let version = from; version < definition.version; version++) {
    const step = definition.upgrades[version];
    if (!step) {
      const problem = `is of version ${from}, which version ${definition.version} no longer reads`;
      throw new InvalidPayloadError(definition.name, [problem]);
    }
    try {
      payload = step(payload);
    } catch (error) {
      const problem = `the upgrade from version ${version} failed: ${String(error)}`;
      throw new InvalidPayloadError(definition.name, [problem], { cause: error });
    }
  }
  return payload;
}

async function parse(definition: AnyTaskDefinition, payload: unknown): Promise<unknown> {
  const parsed = await definition.payload.safeParseAsync(payload);
  if (parsed.success) return parsed.data;
  throw new InvalidPayloadError(definition.name, parsed.error.issues.map(describeIssue), {
    cause: parsed.error,
  });
}

function toJson(definition: AnyTaskDefinition, payload: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw new InvalidPayloadError(definition.name, ['cannot be written as JSON'], { cause: error });
  }
  if (text === undefined) throw new InvalidPayloadError(definition.name, ['cannot be written as JSON']);
  return text;
}

/** Path and reason. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}
