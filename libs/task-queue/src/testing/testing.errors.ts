import { TaskQueueError } from '../task-queue.errors.js';

/** `torture` was given options that make no sense, or its module cannot be run. The message tells which and why. */
export class TortureSetupError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_TORTURE_SETUP';

  constructor(problem: string, options?: ErrorOptions) {
    super(`The torture cannot begin: ${problem}`, options);
  }
}

/** Not what the test expected to have been submitted. The message shows what was. */
export class SubmissionExpectationError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_EXPECTATION';

  constructor(expected: string, actual: string) {
    super(`${expected}\n${actual}`);
  }
}

/** `perform` was given something that does not wait to be performed. */
export class TaskNotWaitingError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_NOT_WAITING';

  constructor(
    readonly task: string,
    problem: string,
  ) {
    super(`${task} cannot be performed: ${problem}`);
  }
}

/** Something that a task queue promises did not hold. The message has the facts and the seed. */
export class TortureFailedError extends TaskQueueError {
  readonly code = 'TASK_QUEUE_TORTURE_FAILED';

  constructor(
    /** One line a broken promise. */
    readonly problems: readonly string[],
    /** What happened, and how to do it again. */
    readonly facts: string,
  ) {
    super(`The tasks did not survive:\n${problems.map((it) => `- ${it}`).join('\n')}\n${facts}`);
  }
}
