import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type TaskPriority } from '../definition/task-priority.js';
import { type TraceContext } from '../tracing/trace-context.js';

/** A task on its way to where it runs: validated, with everything decided. */
export interface NewTask {
  readonly definition: AnyTaskDefinition;
  readonly id: string;
  /** JSON text. */
  readonly payload: string;
  /** Of the payload; a schedule may hold an older one than the definition's. */
  readonly schemaVersion: number;
  readonly priority: TaskPriority;
  /** Whole milliseconds from its submission. */
  readonly delayMs: number;
  /** Epoch milliseconds, where that was not now: it came through an outbox. */
  readonly submittedAtMs?: number;
  /** Hash of the definition's `dedupe.key`. */
  readonly dedupeKey?: string;
  /** Where it was submitted. */
  readonly trace?: TraceContext;
}
