export { defineTask, type TaskDefinitionInput } from './definition/define-task.js';
export {
  type AnyTaskDefinition,
  type PayloadUpgrade,
  type TaskBackoff,
  type TaskBatch,
  type TaskDedupe,
  type TaskDefinition,
  type TaskPayload,
  type TaskPayloadInput,
  type TaskRateLimit,
} from './definition/task-definition.js';
export {
  type AnyTaskExecutor,
  type BatchItem,
  type BatchItemResult,
  type BatchTaskExecutor,
  type TaskContext,
  type TaskExecutor,
  type TaskProgress,
} from './definition/task-executor.js';
export { TaskHandler } from './definition/task-handler.decorator.js';
export { TASK_PRIORITIES, type TaskPriority } from './definition/task-priority.js';
export { cancelTask, retryAfter, type RetryAfter, type TaskCancellation } from './definition/task-result.js';
export {
  type TaskQueueHealth,
  type TaskQueueHealthCheck,
  TaskQueueHealthIndicator,
  type TaskQueueHealthOptions,
} from './nest/task-queue-health.indicator.js';
export {
  type DeadLetter,
  type DeadLetterDetail,
  type DeadLetterFilter,
  type DeadLetterGroup,
  type DeadLetterListOptions,
  type DeadLetterPage,
  type DeadLetterSelection,
  type PastFailure,
  type PurgeResult,
  type RedriveOptions,
  type RedriveResult,
  type RedriveSkip,
} from './dead-letters/dead-letter.js';
export { type DeadLetterReason } from './dead-letters/dead-letter-reason.js';
export { DeadLetters } from './dead-letters/dead-letters.js';
export { type CancelOutcome } from './backend/task-operations.js';
export { BullQueue } from './queue/bull-queue.js';
export { type DrainOptions, type DrainProgress } from './queue/queue-drain.js';
export { type SubmitOptions } from './queue/submission.js';
export { type ExplanationReason, type TaskExplanation } from './queue/task-explanation.js';
export { TaskWorker } from './worker/task-worker.js';
export { type WaitOptions } from './queue/task-waiter.js';
export { type MissedTicks } from './schedule/due-ticks.js';
export { type ScheduleOptions, type TaskSchedule } from './schedule/task-schedule.js';
export { type TaskQueueStatistics } from './statistics/queue-statistics.js';
export { type TaskState, type TaskStatus } from './queue/task-status.js';
export { type ClassWait, type ClassWaits, WAIT_BUCKETS_S } from './statistics/wait-times.js';
export { type MetricFamily, type MetricSample } from './statistics/metric-families.js';
export {
  BatchItemFailedError,
  DedupeKeyTakenError,
  InvalidBatchProcessorOptionsError,
  InvalidBatchResultError,
  InvalidDeadLetterQueryError,
  InvalidPayloadError,
  InvalidRateLimitError,
  InvalidScheduleError,
  InvalidSubmissionError,
  InvalidTaskDefinitionError,
  InvalidTaskIdError,
  InvalidTaskQueueOptionsError,
  PermanentTaskError,
  QueueUnavailableError,
  RateLimitedError,
  TaskAlreadyEndedError,
  TaskCancelledError,
  TaskFailedError,
  TaskHandlerMissingError,
  TaskHandlerProblemsError,
  TaskNotDeadError,
  TaskNotFinishedError,
  TaskNotFoundError,
  TaskOwnershipLostError,
  TaskPoisonedError,
  TransactionalCompletionError,
  TransactionRolledBackError,
  TaskQueueError,
  TaskStoppedError,
  TaskTimeoutError,
  TaskTooNewError,
  TaskWaitTimeoutError,
  UnknownTaskError,
} from './task-queue.errors.js';
export { type BatchProcess, BatchProcessor, type BatchProgress } from './batch-processor/batch-processor.js';
export { type BatchCallContext, type BatchHandler } from './batch-processor/batch-call.js';
export { type BatchProcessorOptions } from './batch-processor/batch-processor.options.js';
export { type BatchSource } from './batch-processor/batch-reader.js';
export { createRateLimiter, type CreateRateLimiterOptions } from './limits/create-rate-limiter.js';
export { type RateLimitRequest } from './limits/rate-limit-input.js';
export {
  type AcquireOptions,
  RateLimiter,
  type RateLimitDecision,
  type RateLimitGrant,
} from './limits/rate-limiter.js';
export { TaskQueueModule } from './task-queue.module.js';
export {
  type AroundHandler,
  type TaskQueueOptions,
  type TaskQueueOptionsInput,
} from './task-queue.options.js';
export { TaskQueue, type TaskItem, type TaskSubmission } from './task-queue.service.js';
export {
  createTaskQueue,
  type CreateTaskQueueOptions,
  type StandaloneTaskQueue,
  type TaskHandlerInput,
  type TaskWithHandler,
} from './create-task-queue.js';
export { PgTransactions } from './transactional/pg-transactions.js';
export { TASK_OUTBOX_SQL } from './transactional/outbox-table.js';
export {
  type AfterCommit,
  type QueryClient,
  type TransactionSource,
} from './transactional/transaction-source.js';
