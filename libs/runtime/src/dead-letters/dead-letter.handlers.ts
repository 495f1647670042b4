import { Injectable } from '@nestjs/common';
import {
  type DeadLetterSelection,
  type PurgeResult,
  type RedriveResult,
  type TaskContext,
  type TaskExecutor,
  TaskHandler,
  type TaskPayload,
  TaskQueue,
} from '@peregrine/task-queue';
import { purgeDeadLetters, redriveDeadLetters } from './dead-letter.tasks.js';

@TaskHandler(redriveDeadLetters)
@Injectable()
export class RedriveDeadLettersHandler implements TaskExecutor<typeof redriveDeadLetters> {
  constructor(private readonly tasks: TaskQueue) {}

  execute(
    { selection, ratePerSecond }: TaskPayload<typeof redriveDeadLetters>,
    ctx: TaskContext,
  ): Promise<RedriveResult> {
    return this.tasks.deadLetters.redrive(toSelection(selection), {
      ...(ratePerSecond !== undefined && { ratePerSecond }),
      signal: ctx.signal,
      onProgress: (soFar) => void ctx.progress({ ...soFar }),
    });
  }
}

@TaskHandler(purgeDeadLetters)
@Injectable()
export class PurgeDeadLettersHandler implements TaskExecutor<typeof purgeDeadLetters> {
  constructor(private readonly tasks: TaskQueue) {}

  execute({ selection }: TaskPayload<typeof purgeDeadLetters>): Promise<PurgeResult> {
    return this.tasks.deadLetters.purge(toSelection(selection));
  }
}

function toSelection(selection: TaskPayload<typeof purgeDeadLetters>['selection']): DeadLetterSelection {
  if ('ids' in selection) return selection;
  const { task, fingerprint, error, failedSince, failedBefore } = selection;
  return {
    ...(task !== undefined && { task }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(error !== undefined && { error }),
    ...(failedSince !== undefined && { failedSince: new Date(failedSince) }),
    failedBefore: new Date(failedBefore),
  };
}
