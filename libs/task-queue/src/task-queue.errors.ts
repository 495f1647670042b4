/** Base of every error this library throws. `code` is stable; the text is for people. */
export abstract class TaskQueueError extends Error {
  abstract readonly code: `TASK_QUEUE_${string}`;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The options of the module are wrong. The message lists every problem. Ends start-up. */
export class InvalidTaskQueueOptionsError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_OPTIONS';

  constructor(problems: string, options?: ErrorOptions) {
    super(`The options of TaskQueueModule are not valid:\n${problems}`, options);
  }
}

/** `defineTask` was given something it cannot accept. A programming error. */
export class InvalidTaskDefinitionError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_DEFINITION';

  constructor(
    readonly task: string,
    problems: string,
    options?: ErrorOptions,
  ) {
    super(`The task ${JSON.stringify(task)} is not defined correctly:\n${problems}`, options);
  }
}

/** Handlers and tasks do not match: missing, double or of the wrong kind. Ends start-up; lists every problem. */
export class TaskHandlerProblemsError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_HANDLER_PROBLEMS';

  constructor(readonly problems: readonly string[]) {
    super(`Task handlers and tasks do not match:\n${problems.map((it) => `- ${it}`).join('\n')}`);
  }
}

/** The payload does not fit the task's schema, is not JSON, or is too large. Nothing was enqueued. Never retried. */
export class InvalidPayloadError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_PAYLOAD';

  constructor(
    readonly task: string,
    /** One line a problem: path and reason, never the value. */
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`The payload of ${task} is not valid: ${problems.join('; ')}`, options);
  }
}

/** The id is empty, too long, or has characters outside `A-Z a-z 0-9 . _ @ = + -`. Nothing was done. */
export class InvalidTaskIdError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_ID';

  constructor(readonly task: string) {
    super(`An id of ${task} must have 1 to 200 characters out of A-Z a-z 0-9 . _ @ = + -`);
  }
}

/** The task is not in the module's `tasks`, or no worker knows it. */
export class UnknownTaskError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_UNKNOWN_TASK';

  constructor(readonly task: string) {
    super(`The task ${JSON.stringify(task)} is not known here; add its definition to the module's \`tasks\``);
  }
}

/** A task has to run in this process, but its handler is not among the process's providers. */
export class TaskHandlerMissingError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_HANDLER_MISSING';

  constructor(readonly task: string) {
    super(`No handler of ${task} is registered in this process; add its class to the providers of a module`);
  }
}

/**
 * The store did not accept or answer in time. Whether the task was enqueued is unknown unless the store was
 * never reached, so retry with the same `id`: an id is enqueued once.
 */
export class QueueUnavailableError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_UNAVAILABLE';

  constructor(
    readonly operation: string,
    options?: ErrorOptions,
  ) {
    const reason = options?.cause instanceof Error ? `: ${options.cause.message}` : '';
    super(`The task queue's store is not available (${operation})${reason}`, options);
  }
}

/** No task of this definition has this id, or it is no longer kept. */
export class TaskNotFoundError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_NOT_FOUND';

  constructor(
    readonly task: string,
    readonly id: string,
  ) {
    super(`There is no task ${task} with the id ${id}, or it is no longer kept`);
  }
}

/** The result was asked for, but the task has not ended. */
export class TaskNotFinishedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_NOT_FINISHED';

  constructor(
    readonly task: string,
    readonly id: string,
    readonly state: string,
  ) {
    super(`The task ${task} with the id ${id} has not ended, it is ${state}`);
  }
}

/** The task failed for good; `reason` is the message of its last error. */
export class TaskFailedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_FAILED';

  constructor(
    readonly task: string,
    readonly id: string,
    readonly reason: string,
  ) {
    super(`The task ${task} with the id ${id} failed: ${reason}`);
  }
}

/** `waitFor` saw no end of the task within `timeoutMs`. The task goes on. */
export class TaskWaitTimeoutError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_WAIT_TIMEOUT';

  constructor(
    readonly task: string,
    readonly id: string,
    readonly timeoutMs: number,
    options?: ErrorOptions,
  ) {
    super(`The task ${task} with the id ${id} did not end within ${timeoutMs} ms`, options);
  }
}

/** One attempt took longer than the task's `timeoutMs`. Retried like any failure. */
export class TaskTimeoutError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_TIMEOUT';

  constructor(
    readonly task: string,
    readonly timeoutMs: number,
  ) {
    super(`An attempt of ${task} took longer than ${timeoutMs} ms`);
  }
}

/** Reason of an aborted attempt: this worker stops. The task was given back and costs no attempt. */
export class TaskStoppedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_STOPPED';

  constructor() {
    super('This process stops; the task is given back');
  }
}

/**
 * Reason of an aborted attempt: its lock ran out, so another worker may run the task by now. Also from
 * `ctx.completeInTransaction`, whose transaction then has to be rolled back.
 */
export class TaskOwnershipLostError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_OWNERSHIP_LOST';

  constructor(options?: ErrorOptions) {
    super('The lock on the task could not be renewed; another worker may run it by now', options);
  }
}

/** `ctx.completeInTransaction` is not possible here. Nothing was changed. A programming error. */
export class TransactionalCompletionError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_COMPLETION_NOT_TRANSACTIONAL';

  constructor(
    readonly task: string,
    problem: string,
  ) {
    super(`${task} cannot be completed in a transaction: ${problem}`);
  }
}

/** PostgreSQL answered a commit with a rollback, since a statement of the transaction had failed. Nothing was written. */
export class TransactionRolledBackError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_TRANSACTION_ROLLED_BACK';

  constructor() {
    super('The transaction was rolled back, because a statement had failed in it and its error was caught');
  }
}

/**
 * Why a task failed for good: every time it ran in a process with nothing else, that process died or its event loop was
 * blocked until the lock ran out, `maxCrashes` times in a row. Never thrown to a caller; its message is the task's error.
 */
export class TaskPoisonedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_POISONED';

  constructor(
    readonly task: string,
    readonly crashes: number,
  ) {
    super(`${task} is poison: its worker died ${crashes} times while it ran there alone`);
  }
}

/** A batch handler broke its contract: not one result an item, or a malformed result. */
export class InvalidBatchResultError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_BATCH_RESULT';

  constructor(
    readonly task: string,
    problem: string,
  ) {
    super(`The batch handler of ${task} ${problem}`);
  }
}

/** Thrown by a handler when trying again is pointless: the task fails for good at once. */
export class PermanentTaskError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_PERMANENT';
}

/** A newer process submitted the task, with a payload version that this one cannot read yet. It is put off. */
export class TaskTooNewError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_TOO_NEW';

  constructor(
    readonly task: string,
    readonly version: number,
    readonly known: number,
  ) {
    super(`The payload of ${task} is of version ${version}; this process knows ${known}`);
  }
}

/** The task was cancelled. From `result` and `waitFor`, and the reason of an aborted attempt. */
export class TaskCancelledError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_CANCELLED';

  constructor(
    readonly task: string,
    readonly id: string,
    readonly reason: string,
  ) {
    super(`The task ${task} with the id ${id} was cancelled: ${reason}`);
  }
}

/** It is too late to cancel: the task has ended. */
export class TaskAlreadyEndedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_ALREADY_ENDED';

  constructor(
    readonly task: string,
    readonly id: string,
    readonly state: string,
  ) {
    super(`The task ${task} with the id ${id} cannot be cancelled, it is ${state}`);
  }
}

/** The options of a submission contradict each other or are out of bounds. Nothing was enqueued. */
export class InvalidSubmissionError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_SUBMISSION';

  constructor(
    readonly task: string,
    problem: string,
  ) {
    super(`${task} cannot be submitted: ${problem}`);
  }
}

/** The name, the cron expression, the time zone or a limit of a schedule is wrong. Nothing was changed. */
export class InvalidScheduleError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_SCHEDULE';

  constructor(
    readonly schedule: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`The schedule ${JSON.stringify(schedule)} is not valid: ${problem}`, options);
  }
}

/** The name, the key, or a number of a rate limit is wrong. Nothing was taken. A programming error. */
export class InvalidRateLimitError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_RATE_LIMIT';

  constructor(
    readonly limit: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`The rate limit ${JSON.stringify(limit)} is not valid: ${problem}`, options);
  }
}

/** `acquire` would have waited longer than `maxWaitMs`. Nothing was taken. */
export class RateLimitedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_RATE_LIMITED';

  constructor(
    readonly limit: string,
    /** When to try again, milliseconds from now. */
    readonly retryAfterMs: number,
  ) {
    super(`The rate limit ${limit} is used up; try again in ${retryAfterMs} ms`);
  }
}

/** A filter, a selection or an option for dead letters is wrong. Nothing was changed. */
export class InvalidDeadLetterQueryError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_DEAD_LETTER_QUERY';

  constructor(
    /** One line a problem: path and reason. */
    readonly problems: readonly string[],
    options?: ErrorOptions,
  ) {
    super(`These dead letters cannot be selected: ${problems.join('; ')}`, options);
  }
}

/** The task is no dead letter: it waits, runs, has completed, or was redriven already. Nothing was changed. */
export class TaskNotDeadError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_NOT_DEAD';

  constructor(
    readonly task: string,
    readonly id: string,
  ) {
    super(`The task ${task} with the id ${id} is not a dead letter`);
  }
}

/** A dead letter cannot be redriven while another task holds its `dedupe.key`. Nothing was changed. */
export class DedupeKeyTakenError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_DEDUPE_KEY_TAKEN';

  constructor(
    readonly task: string,
    readonly id: string,
  ) {
    super(
      `The task ${task} with the id ${id} is not redriven, because another task has taken its dedupe key`,
    );
  }
}

/** The options of a batch processor are wrong. Nothing was processed. A programming error. */
export class InvalidBatchProcessorOptionsError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_INVALID_BATCH_PROCESSOR_OPTIONS';

  constructor(problems: string, options?: ErrorOptions) {
    super(`The options of a batch processor are not valid:\n${problems}`, options);
  }
}

/** An item failed under `failFast`. What ran at that time was aborted and its results dropped. */
export class BatchItemFailedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_BATCH_ITEM_FAILED';

  constructor(
    /** Of the item in the source, from 0. */
    readonly index: number,
    /** Why it failed. */
    override readonly cause: Error,
  ) {
    super(`Item ${index} failed: ${cause.message}`, { cause });
  }
}
