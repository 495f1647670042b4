import { type StoreJob } from '../backend/queue-backend.js';
import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { type TaskProgress } from '../definition/task-executor.js';
import { afterClaim, NOTHING } from '../execution/isolation.js';
import { cancelReasonOf } from './cancelled-result.js';
import { type TaskRecord, type TaskState, type TaskStatus } from './task-status.js';

/** What a job in BullMQ says about its task. */
export function toRecord(
  definition: AnyTaskDefinition,
  id: string,
  jobState: TaskState,
  job: StoreJob,
): TaskRecord {
  const cancelReason = jobState === 'completed' ? cancelReasonOf(job.returnvalue) : undefined;
  const state = cancelReason === undefined ? jobState : 'cancelled';
  const hasError = job.failedReason && state !== 'completed' && state !== 'cancelled';
  const status: TaskStatus = {
    id,
    task: definition.name,
    state,
    attempts: job.attemptsMade,
    maxAttempts: job.opts.attempts ?? definition.attempts,
    progress: toProgress(job.progress),
    ...(hasError && { error: job.failedReason }),
    ...(cancelReason !== undefined && { cancelReason }),
    priority: job.data.priority ?? definition.priority,
    submittedAt: new Date(job.timestamp),
    ...(job.processedOn && { startedAt: new Date(job.processedOn) }),
    ...(job.finishedOn && { finishedAt: new Date(job.finishedOn) }),
    inline: false,
  };
  const { putOff } = job.data;
  const deaths = deathsOf(job, state);
  return {
    status,
    ...(state === 'completed' && { result: job.returnvalue }),
    ...(putOff && { putOff }),
    ...(deaths > 0 && { deaths }),
  };
}

/** The last death is noted by the claim after it. */
function deathsOf({ data, stalledCounter, attemptsStarted }: StoreJob, state: TaskState): number {
  const claim = state === 'running' ? attemptsStarted : attemptsStarted + 1;
  return afterClaim(data.isolation ?? NOTHING, stalledCounter, claim).deaths;
}

/** Progress lies in the store as JSON text; before the first it is BullMQ's 0. */
function toProgress(stored: unknown): TaskProgress | null {
  return typeof stored === 'string' ? (JSON.parse(stored) as TaskProgress) : null;
}
