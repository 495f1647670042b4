import { Injectable } from '@nestjs/common';
import {
  type AdaptiveProgress,
  IndexBuilderBusyError,
  IndexBuildError,
  InvalidIndexPlanError,
  type LedgerEntry,
  QueryOptimizer,
  RecommendationError,
} from '@peregrine/query-optimizer';
import {
  PermanentTaskError,
  type RetryAfter,
  retryAfter,
  type TaskContext,
  type TaskExecutor,
  TaskHandler,
  type TaskPayload,
} from '@peregrine/task-queue';
import { type AuditEventKind } from '../audit/audit-event.js';
import { AuditTrail } from '../audit/audit-trail.js';
import {
  actionOf,
  applyRecommendation,
  INDEX_CHANGES,
  type IndexChange,
  revertRecommendation,
  subjectOf,
} from './index-change.tasks.js';
import { GOAL } from './index-changes.js';

/** A round, or another change, has the lock; it costs no attempt to wait for it. */
const BUSY_RETRY_MS = 5_000;

type Payload = TaskPayload<typeof applyRecommendation>;

/** What the task answers with. */
export interface IndexChangeResult {
  readonly recommendation: string;
  readonly ledgerId: string;
  readonly status: LedgerEntry['status'];
  readonly decision: string | null;
}

/** Does what was asked for, tells how far it is, and writes down what came of it. */
@Injectable()
export class IndexChangeRunner {
  constructor(
    private readonly optimizer: QueryOptimizer,
    private readonly audit: AuditTrail,
  ) {}

  async run(
    change: IndexChange,
    payload: Payload,
    ctx: TaskContext,
  ): Promise<IndexChangeResult | RetryAfter> {
    try {
      const entry = await this.#change(change, payload, ctx);
      const hasFailed = entry.status === 'failed' || entry.status === 'building';
      await this.#note(change, payload, ctx, hasFailed ? 'failed' : 'succeeded', entry.decision);
      const { id: ledgerId, status, decision } = entry;
      return { recommendation: payload.recommendation, ledgerId, status, decision };
    } catch (error) {
      return this.#failed(change, payload, ctx, error);
    }
  }

  async #change(
    change: IndexChange,
    { recommendation, actor }: Payload,
    ctx: TaskContext,
  ): Promise<LedgerEntry> {
    const { adaptiveIndexing: adaptive } = this.optimizer;
    let told = Promise.resolve();
    const onProgress = (it: AdaptiveProgress) => void (told = ctx.progress(describeProgress(it)));
    try {
      const options = { actor: actor.name };
      if (change === 'revert') return await adaptive.revert(recommendation, options);
      const entry = await adaptive.apply(recommendation, { ...options, signal: ctx.signal, onProgress });
      // The last of it is there when the task has ended.
      await told;
      return entry;
    } catch (error) {
      // A worker that died after its work was done had this task before.
      const done = error instanceof RecommendationError && error.failure === 'state';
      const entry = done ? await this.#entryOf(recommendation, change) : undefined;
      if (entry !== undefined) return entry;
      throw error;
    }
  }

  async #entryOf(recommendation: string, change: IndexChange): Promise<LedgerEntry | undefined> {
    const { adaptiveIndexing: adaptive } = this.optimizer;
    const { state, ledgerId } = await adaptive.recommendation(recommendation);
    if (state !== GOAL[change]) return undefined;
    return (await adaptive.ledger(Number.MAX_SAFE_INTEGER)).find((it) => it.id === ledgerId);
  }

  async #failed(
    change: IndexChange,
    payload: Payload,
    ctx: TaskContext,
    error: unknown,
  ): Promise<RetryAfter> {
    if (error instanceof IndexBuilderBusyError) {
      await ctx.progress({ phase: 'waiting', text: error.message });
      return retryAfter(BUSY_RETRY_MS);
    }
    const isFinal = isForGood(error);
    if (isFinal || ctx.attempt >= INDEX_CHANGES[change].attempts) {
      const reason = isFinal ? error.message : 'The database did not do it; the log of the worker says why';
      await this.#note(change, payload, ctx, 'failed', reason);
    }
    throw isFinal ? new PermanentTaskError(error.message, { cause: error }) : error;
  }

  #note(
    change: IndexChange,
    { recommendation, actor }: Payload,
    ctx: TaskContext,
    event: AuditEventKind,
    detail: string | null,
  ): Promise<void> {
    const subject = subjectOf(recommendation);
    const task = { name: INDEX_CHANGES[change].name, id: ctx.id };
    return this.audit.add({ actor, action: actionOf(change), subject, event, task, requestId: null, detail });
  }
}

/** To try again would end in the same way. */
function isForGood(error: unknown): error is Error {
  if (error instanceof RecommendationError || error instanceof InvalidIndexPlanError) return true;
  return error instanceof IndexBuildError && !['locked', 'connection', 'cancelled'].includes(error.failure);
}

const describeProgress = ({ phase, text, build }: AdaptiveProgress) => ({
  phase,
  text,
  ...(build && { index: build.indexName, step: build.phase, part: build.part }),
});

@TaskHandler(applyRecommendation)
@Injectable()
export class ApplyRecommendationHandler implements TaskExecutor<typeof applyRecommendation> {
  constructor(private readonly runner: IndexChangeRunner) {}

  execute(payload: Payload, ctx: TaskContext): Promise<IndexChangeResult | RetryAfter> {
    return this.runner.run('apply', payload, ctx);
  }
}

@TaskHandler(revertRecommendation)
@Injectable()
export class RevertRecommendationHandler implements TaskExecutor<typeof revertRecommendation> {
  constructor(private readonly runner: IndexChangeRunner) {}

  execute(payload: Payload, ctx: TaskContext): Promise<IndexChangeResult | RetryAfter> {
    return this.runner.run('revert', payload, ctx);
  }
}
