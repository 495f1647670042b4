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
import { type AuditEventKind } from '../audit/audit-event.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { type AskedBy, ATTEMPTS, purgeDeadLetters, redriveDeadLetters } from './dead-letter.tasks.js';

@TaskHandler(redriveDeadLetters)
@Injectable()
export class RedriveDeadLettersHandler implements TaskExecutor<typeof redriveDeadLetters> {
  constructor(
    private readonly tasks: TaskQueue,
    private readonly audit: AuditTrail,
  ) {}

  execute(
    { selection, ratePerSecond, asked }: TaskPayload<typeof redriveDeadLetters>,
    ctx: TaskContext,
  ): Promise<RedriveResult> {
    const redrive = () =>
      this.tasks.deadLetters.redrive(toSelection(selection), {
        ...(ratePerSecond !== undefined && { ratePerSecond }),
        signal: ctx.signal,
        onProgress: (soFar) => void ctx.progress({ ...soFar }),
      });
    const describe = ({ redriven, matched }: RedriveResult) =>
      `${redriven} of ${matched} tasks are back to work`;
    return audited(this.audit, { task: redriveDeadLetters.name, asked, ctx }, redrive, describe);
  }
}

@TaskHandler(purgeDeadLetters)
@Injectable()
export class PurgeDeadLettersHandler implements TaskExecutor<typeof purgeDeadLetters> {
  constructor(
    private readonly tasks: TaskQueue,
    private readonly audit: AuditTrail,
  ) {}

  execute(
    { selection, asked }: TaskPayload<typeof purgeDeadLetters>,
    ctx: TaskContext,
  ): Promise<PurgeResult> {
    const purge = () => this.tasks.deadLetters.purge(toSelection(selection));
    const describe = ({ purged }: PurgeResult) => `${purged} tasks are gone`;
    return audited(this.audit, { task: purgeDeadLetters.name, asked, ctx }, purge, describe);
  }
}

interface Deed {
  /** Name of the task, which is that of the action. */
  readonly task: string;
  /** Undefined: nobody asked to find it in the audit. */
  readonly asked: AskedBy | undefined;
  readonly ctx: TaskContext;
}

/** Does it, and writes down what came of it; a failure only when it is not tried again. */
async function audited<R>(
  audit: AuditTrail,
  { task, asked, ctx }: Deed,
  work: () => Promise<R>,
  describe: (result: R) => string,
): Promise<R> {
  if (!asked) return work();
  const { actor, requestId, subject } = asked;
  const note = (event: AuditEventKind, detail: string) =>
    audit.add({ actor, action: task, subject, event, task: { name: task, id: ctx.id }, requestId, detail });
  try {
    const result = await work();
    await note('succeeded', describe(result));
    return result;
  } catch (error) {
    if (ctx.attempt >= ATTEMPTS) await note('failed', 'The log of the worker says why');
    throw error;
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
