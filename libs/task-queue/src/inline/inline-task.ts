import { FAILURES_KEPT, type StoredFailure } from '../dead-letters/dead-letter-source.js';
import { type TaskProgress } from '../definition/task-executor.js';
import { type Attempt, type AttemptReporter } from '../execution/attempt.js';
import { type IsolationRecord, NOTHING } from '../execution/isolation.js';
import { storableError } from '../execution/storable-text.js';
import { type NewTask } from '../queue/new-task.js';
import { type TaskRecord, type TaskState } from '../queue/task-status.js';

const STACKS_KEPT = 3;

/** A task that runs in this process, and how it is. */
export class InlineTask {
  readonly submittedAt: Date;
  /** Ends every wait of the task. */
  readonly cancellation = new AbortController();
  state: TaskState;
  attempts = 0;
  /** Runs of the handler, also those that cost no attempt. */
  runs = 0;
  isolation: IsolationRecord = NOTHING;
  progress: TaskProgress | null = null;
  error?: string;
  /** Of the last failed attempts, the last one last. */
  stacks: readonly string[] = [];
  /** How often it was put back to work after it had failed for good. */
  redrives = 0;
  /** How its earlier lives ended, the last one last. */
  failures: readonly StoredFailure[] = [];
  cancelReason?: string;
  startedAt?: Date;
  finishedAt?: Date;
  /** When a delayed task goes on. */
  dueAt: Date;
  /** Before its first attempt. */
  delayMs: number;
  /** JSON text. */
  result?: string;
  attempt?: Attempt;

  /** @param nowMs epoch milliseconds */
  constructor(
    readonly task: NewTask,
    nowMs: number,
  ) {
    this.delayMs = task.delayMs;
    this.submittedAt = new Date(nowMs);
    this.state = task.delayMs > 0 ? 'delayed' : 'waiting';
    this.dueAt = new Date(this.submittedAt.getTime() + task.delayMs);
  }

  failed(thrown: unknown): void {
    const { message, stack = '' } = storableError(thrown);
    this.error = message;
    this.stacks = [...this.stacks, stack].slice(-STACKS_KEPT);
  }

  /** As if it had just been submitted, but for what is known of its earlier lives. */
  revive(nowMs: number): void {
    const { error = '', finishedAt, attempts } = this;
    const failure = { error, failedAtMs: finishedAt?.getTime() ?? 0, attempts };
    this.failures = [...this.failures, failure].slice(-FAILURES_KEPT);
    this.redrives++;
    this.state = 'waiting';
    this.attempts = 0;
    this.delayMs = 0;
    this.dueAt = new Date(nowMs);
    this.progress = null;
    this.stacks = [];
    delete this.error;
    delete this.startedAt;
    delete this.finishedAt;
  }

  /** Log lines are only kept in the store. */
  get reporter(): AttemptReporter {
    return {
      progress: (value) => {
        this.progress = value;
        return Promise.resolve();
      },
      log: () => Promise.resolve(),
    };
  }

  record(): TaskRecord {
    const { task, error, cancelReason, startedAt, finishedAt, result } = this;
    const status = {
      id: task.id,
      task: task.definition.name,
      state: this.state,
      attempts: this.attempts,
      maxAttempts: task.definition.attempts,
      progress: this.progress,
      ...(error !== undefined && { error }),
      ...(cancelReason !== undefined && { cancelReason }),
      priority: task.priority,
      submittedAt: this.submittedAt,
      ...(startedAt && { startedAt }),
      ...(finishedAt && { finishedAt }),
      inline: true,
    };
    return result === undefined ? { status } : { status, result };
  }
}
