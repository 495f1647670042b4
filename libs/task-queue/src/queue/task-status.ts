import { type TaskProgress } from '../definition/task-executor.js';
import { type PutOff } from '../definition/task-payload.js';
import { type TaskPriority } from '../definition/task-priority.js';

/** `delayed` also covers the wait before another attempt. */
export type TaskState = 'waiting' | 'delayed' | 'running' | 'completed' | 'failed' | 'cancelled';

/** What is known about a task, for as long as it is kept. */
export interface TaskStatus {
  readonly id: string;
  /** Name of the definition. */
  readonly task: string;
  readonly state: TaskState;
  /** Attempts that have ended. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** The last that the handler told, `null` before. */
  readonly progress: TaskProgress | null;
  /** Message of the last error; also there while another attempt is due, and absent once completed. */
  readonly error?: string;
  /** Why it was cancelled. */
  readonly cancelReason?: string;
  readonly priority: TaskPriority;
  readonly submittedAt: Date;
  /** Of the last attempt. */
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  /** Whether it ran in the process that submitted it. */
  readonly inline: boolean;
}

/** A status with the result, JSON text, of a completed task. */
export interface TaskRecord {
  readonly status: TaskStatus;
  readonly result?: string;
  readonly putOff?: PutOff;
  /** Workers that have died or lost it since a run of it last came back. */
  readonly deaths?: number;
}
