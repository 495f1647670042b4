import { type WorkloadStatement } from '../advisor/advice.js';
import { withTypicalParameters } from '../advisor/typical-parameters.js';
import { analyse } from '../analysis/analyse.js';
import { type IndexBuildProgress } from '../index-builder/index-builder.js';
import { type LedgerEntry } from '../index-builder/index-ledger.js';
import { decisionBy } from './recommendation-sync.js';
import { type RoundContext } from './round-context.js';
import { type StoredRecommendation } from './stored-recommendation.js';

export interface TrialInput {
  readonly actor: string;
  readonly statements: readonly WorkloadStatement[];
  readonly isAuto: boolean;
  readonly maxBytes?: number;
}

/** The statements that an index is for, such that they can be run where the values of their parameters are known or typical ones are. */
export async function measuredStatements(
  { options }: RoundContext,
  { serves }: StoredRecommendation,
  workload: readonly WorkloadStatement[],
): Promise<readonly WorkloadStatement[]> {
  const known = new Map(workload.map((it) => [it.id, it]));
  const statements = serves.map(
    ({ statement: id, sql: text, calls, totalMs }): WorkloadStatement =>
      known.get(id) ?? { id, text, calls, totalMs },
  );
  return withTypicalParameters(statements, { source: options.source });
}

/** Whether the statement only reads and the values of its parameters are there. */
export function canBeMeasured({ text, parameters = [] }: WorkloadStatement): boolean {
  const { kind, parameterCount } = analyse(text);
  return kind === 'select' && parameterCount <= parameters.length;
}

/**
 * Builds, measures, and writes down what became of it. While it does, and when it is killed, the recommendation is `applied`.
 *
 * @throws {IndexBuilderBusyError} {@link InvalidIndexPlanError}, the driver's error: the recommendation is open again
 */
export async function tryRecommendation(
  context: RoundContext,
  { id, plan, statement }: StoredRecommendation,
  { actor, statements, isAuto, maxBytes }: TrialInput,
): Promise<LedgerEntry> {
  const { store, listener } = context;
  const { signal, onProgress } = listener;
  const tell = (build: IndexBuildProgress) =>
    onProgress?.({ phase: 'build', text: progressText(build), build });
  await store.decide(id, { state: 'applied', decision: `Being built for ${actor}` });
  try {
    onProgress?.({ phase: 'build', text: statement });
    const [entry] = await context
      .trials(actor, isAuto)
      .run([{ plan, statements, ...(maxBytes !== undefined && { maxBytes }) }], {
        ...(signal && { signal }),
        ...(onProgress && { onProgress: tell }),
      });
    if (entry === undefined) throw signal?.reason;
    // A cancelled build says nothing about the index.
    const isCancelled = context.isAborted && entry.status === 'failed';
    const decision = decisionBy(entry);
    await store.decide(id, isCancelled ? { ...decision, state: 'open' } : decision);
    return entry;
  } catch (error) {
    await store.decide(id, { state: 'open', decision: null }).catch(() => undefined);
    throw error;
  }
}

const progressText = ({ indexName, phase, part }: IndexBuildProgress): string =>
  `${indexName}: ${phase}${part === null ? '' : ` ${Math.round(part * 100)} %`}`;
