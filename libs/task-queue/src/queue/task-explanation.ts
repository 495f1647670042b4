import { type TaskPriority } from '../definition/task-priority.js';
import { type InlineTask } from '../inline/inline-task.js';
import { type TaskDeadlines } from './task-deadlines.js';
import { type TaskRecord, type TaskStatus } from './task-status.js';
import { type Inspection } from './task-store.js';

/** Why a task is not running, or that it is. */
export interface TaskExplanation {
  readonly id: string;
  readonly task: string;
  readonly reason: ExplanationReason;
  /** A sentence for people. */
  readonly text: string;
  readonly priority?: TaskPriority;
  /** Waiting tasks that go first. */
  readonly ahead?: number;
  /** When a waiting task should be taken by the plan of its class. */
  readonly deadline?: Date;
  /** When a delayed task may start. */
  readonly until?: Date;
  /** Host and process that claimed it last. */
  readonly worker?: string;
  /** When it was claimed, or first put off. */
  readonly since?: Date;
  /** Of the last attempt. */
  readonly error?: string;
  /**
   * Of a suspect: workers that have died or lost it since a run of it last came back. It runs apart from other tasks
   * until one does.
   */
  readonly deaths?: number;
}

export type ExplanationReason =
  /** Unknown, or no longer kept. */
  | 'not-kept'
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'running'
  /** Its cancellation has been asked for; the worker ends it within about a second. */
  | 'cancelling'
  /** Its worker has not renewed its claim: dead, or its event loop is blocked. */
  | 'stalled'
  | 'paused'
  | 'waiting'
  /** Its `delayMs` or `runAt`. */
  | 'delayed'
  /** It failed and waits for its next attempt. */
  | 'retrying'
  /** No worker that claimed it knows the task. */
  | 'unknown-task'
  /** No worker that claimed it knows so new a payload. */
  | 'newer-version'
  /** Its handler asked for a later time. */
  | 'retry-after'
  | 'rate-limit'
  /** A suspect, and others wait for their turn on the worker that claimed it. */
  | 'suspects'
  /** Its transaction has committed; the relay has not brought it to the store yet. */
  | 'in-outbox';

type Answer = Omit<TaskExplanation, 'id' | 'task' | 'priority'>;

export function explainMissing(task: string, id: string): TaskExplanation {
  return { id, task, reason: 'not-kept', text: 'There is no such task, or it is no longer kept.' };
}

export function explainStored(
  inspection: Inspection,
  deadlines: TaskDeadlines,
  nowMs: number,
): TaskExplanation {
  const { status, deaths } = inspection.record;
  return whole(status, ended(status) ?? suspected(stored(inspection, deadlines, nowMs), deaths));
}

/** @param error why it could not be relayed, last */
export function explainOutbox({ status }: TaskRecord, error: string | null): TaskExplanation {
  const since = status.submittedAt;
  const why = error === null ? '' : ` It could not be relayed: ${error}`;
  const text = `It lies in the outbox since ${since.toISOString()}, and is about to be relayed to the store.${why}`;
  return whole(status, { reason: 'in-outbox', text, since, ...(error !== null && { error }) });
}

export function explainInline(inline: InlineTask, isPaused: boolean): TaskExplanation {
  const { status } = inline.record();
  return whole(status, ended(status) ?? unfinishedInline(inline, isPaused));
}

function whole(status: TaskStatus, answer: Answer): TaskExplanation {
  return { id: status.id, task: status.task, priority: status.priority, ...answer };
}

function ended({ state, error = '', cancelReason = '' }: TaskStatus): Answer | undefined {
  switch (state) {
    case 'completed':
      return { reason: state, text: 'It has completed.' };
    case 'failed':
      return { reason: state, text: `It has failed for good: ${error}`, error };
    case 'cancelled':
      return { reason: state, text: `It was cancelled: ${cancelReason}` };
    default:
      return undefined;
  }
}

function stored(it: Inspection, deadlines: TaskDeadlines, nowMs: number): Answer {
  const { status } = it.record;
  if (status.state === 'running') return running(it);
  if (status.state === 'delayed') return delayed(it, new Date(it.dueAtMs));
  if (it.isPaused) return { reason: 'paused', text: 'The queue is paused.' };
  const deadline = new Date(deadlines.deadlineOf(it.number, nowMs));
  const text = `It waits for a worker behind ${it.ahead} tasks, as ${status.priority}, planned for ${deadline.toISOString()}.`;
  return { reason: 'waiting', text, ahead: it.ahead, deadline };
}

function suspected(answer: Answer, deaths: number | undefined): Answer {
  if (deaths === undefined) return answer;
  const text = `${answer.text} It is a suspect, because its worker died ${deaths} times, and runs apart from others.`;
  return { ...answer, text, deaths };
}

function running({ record, isLocked, isCancelling, claimedBy }: Inspection): Answer {
  const { startedAt } = record.status;
  const facts = { ...(claimedBy && { worker: claimedBy }), ...(startedAt && { since: startedAt }) };
  const by = `worker ${claimedBy ?? 'of unknown name'} since ${startedAt?.toISOString() ?? 'an unknown time'}`;
  if (!isLocked)
    return {
      reason: 'stalled',
      text: `The ${by} no longer renews its claim; another takes it over.`,
      ...facts,
    };
  if (isCancelling) return { reason: 'cancelling', text: `It is being cancelled on the ${by}.`, ...facts };
  return { reason: 'running', text: `It runs on the ${by}.`, ...facts };
}

function delayed({ record }: Inspection, until: Date): Answer {
  const { status, putOff } = record;
  const then = until.toISOString();
  // Unless it has failed since.
  if (putOff?.attempts === status.attempts) {
    const since = new Date(putOff.since);
    const why = {
      'unknown-task': 'no worker that claimed it knows the task',
      'newer-version': 'no worker that claimed it can read a payload of so new a version',
      'retry-after': 'its handler asked for a later time',
      'rate-limit': 'its rate limit is used up',
      suspects: 'other suspects wait for their turn on the worker that claimed it',
    }[putOff.reason];
    return { reason: putOff.reason, text: `It was put off until ${then}: ${why}.`, until, since };
  }
  return delayedOrRetrying(status, until);
}

function delayedOrRetrying({ error, attempts, maxAttempts }: TaskStatus, until: Date): Answer {
  if (error === undefined) {
    return { reason: 'delayed', text: `It is delayed until ${until.toISOString()}.`, until };
  }
  const text = `Attempt ${attempts} of ${maxAttempts} failed, the next is at ${until.toISOString()}: ${error}`;
  return { reason: 'retrying', text, until, error };
}

function unfinishedInline(inline: InlineTask, isPaused: boolean): Answer {
  if (inline.state === 'running') {
    const since = inline.startedAt;
    return { reason: 'running', text: 'It runs in this process.', ...(since && { since }) };
  }
  if (inline.state === 'delayed') return delayedOrRetrying(inline.record().status, inline.dueAt);
  if (isPaused) return { reason: 'paused', text: 'The queue is paused.' };
  return { reason: 'waiting', text: 'It is about to run in this process.', ahead: 0 };
}
