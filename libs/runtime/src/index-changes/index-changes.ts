import { Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { QueryOptimizer, RecommendationError, type RecommendationState } from '@peregrine/query-optimizer';
import { type AnyTaskDefinition, TaskQueue } from '@peregrine/task-queue';
import { type Actor } from '../audit/audit-event.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { actionOf, INDEX_CHANGES, type IndexChange, subjectOf } from './index-change.tasks.js';

/** A task that does what was asked for. */
export interface SubmittedChange {
  readonly definition: AnyTaskDefinition;
  readonly id: string;
}

/** States in which it can be asked for. */
const POSSIBLE: Readonly<Record<IndexChange, readonly RecommendationState[]>> = {
  apply: ['open', 'applied', 'dropped', 'reverted', 'failed'],
  revert: ['kept'],
};
/** What it leads to: asked for again, there is nothing left to do. */
export const GOAL: Readonly<Record<IndexChange, RecommendationState>> = { apply: 'kept', revert: 'reverted' };
const UNDER_WAY = { apply: 'is being built', revert: 'is being reverted' } as const;

/** What people ask to be done to indexes: a task does it, and the audit has who asked, when, and what came of it. */
@Injectable()
export class IndexChanges {
  constructor(
    private readonly optimizer: QueryOptimizer,
    private readonly queue: TaskQueue,
    private readonly audit: AuditTrail,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Asked for twice, it is one task: while that runs, and as long as what it led to stands.
   *
   * @throws {RecommendationError} `unknown`; `state` when it cannot be asked for now @throws {QueueUnavailableError}
   */
  async request(change: IndexChange, recommendation: string, actor: Actor): Promise<SubmittedChange> {
    const adaptive = this.optimizer.adaptiveIndexing;
    await adaptive.recommendation(recommendation);
    const last = await this.audit.latestRequest(subjectOf(recommendation));
    const lastChange = changeOf(last?.action);
    if (last !== undefined && lastChange !== undefined) {
      const definition = INDEX_CHANGES[lastChange];
      const status = await this.queue.status(definition, last.task.id);
      const isUnderWay = status !== null && !['completed', 'failed', 'cancelled'].includes(status.state);
      // Read after the task: what it did before it ended is seen.
      const { state } = await adaptive.recommendation(recommendation);
      if (lastChange === change && (isUnderWay || state === GOAL[change])) {
        return { definition, id: last.task.id };
      }
      if (isUnderWay) throw new RecommendationError(recommendation, 'state', UNDER_WAY[lastChange]);
    }
    return this.#submit(change, recommendation, actor, last?.id ?? '0');
  }

  async #submit(
    change: IndexChange,
    recommendation: string,
    actor: Actor,
    after: string,
  ): Promise<SubmittedChange> {
    const { state } = await this.optimizer.adaptiveIndexing.recommendation(recommendation);
    if (!POSSIBLE[change].includes(state)) {
      const wanted = change === 'apply' ? 'cannot be applied' : 'cannot be reverted';
      throw new RecommendationError(recommendation, 'state', `is ${state}: it ${wanted}`);
    }
    const definition = INDEX_CHANGES[change];
    // Two that ask at the same moment have seen the same request before theirs.
    const id = `${recommendation}.${after}`;
    const subject = subjectOf(recommendation);
    await this.transactions.run(async () => {
      await this.queue.submit(definition, { recommendation, actor: { ...actor } }, { id });
      const task = { name: definition.name, id };
      const action = actionOf(change);
      await this.audit.add({
        actor,
        action,
        subject,
        event: 'requested',
        task,
        requestId: null,
        detail: null,
      });
    });
    return { definition, id };
  }
}

function changeOf(action: string | undefined): IndexChange | undefined {
  return (['apply', 'revert'] as const).find((it) => actionOf(it) === action);
}
