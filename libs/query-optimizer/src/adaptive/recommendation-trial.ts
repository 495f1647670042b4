import { type WorkloadStatement } from '../advisor/advice.js';
import { withTypicalParameters } from '../advisor/typical-parameters.js';
import { analyse } from '../analysis/analyse.js';
import { type BuildListener, type IndexBuildProgress } from '../index-builder/index-builder.js';
import { type LedgerEntry } from '../index-builder/index-ledger.js';
import { type SetConditions } from '../index-builder/joint-trial.js';
import { decisionBy } from './recommendation-sync.js';
import { type RoundContext } from './round-context.js';
import { type StoredRecommendation } from './stored-recommendation.js';

/** A recommendation whose statements are such as can be run. */
export interface ChosenRecommendation {
  readonly recommendation: StoredRecommendation;
  readonly statements: readonly WorkloadStatement[];
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

/**
 * Others of the workload that read the tables of the set, such that they can be run: none of its indexes may cost them more than
 * it gains elsewhere. Through views they are not recognised.
 */
export async function watchedStatements(
  { options }: RoundContext,
  chosen: readonly ChosenRecommendation[],
  workload: readonly WorkloadStatement[],
): Promise<readonly WorkloadStatement[]> {
  const tables = new Set(chosen.map((it) => it.recommendation.plan.table.name));
  const known = new Set(chosen.flatMap((it) => it.statements.map(({ id }) => id)));
  const others = workload.filter(
    ({ id, text }) => !known.has(id) && analyse(text).references.some((it) => tables.has(it.relation.name)),
  );
  const complete = await withTypicalParameters(others, { source: options.source });
  return complete.filter(canBeMeasured);
}

/** Whether the statement only reads and the values of its parameters are there. */
export function canBeMeasured({ text, parameters = [] }: WorkloadStatement): boolean {
  const { kind, parameterCount } = analyse(text);
  return kind === 'select' && parameterCount <= parameters.length;
}

/**
 * Builds one that a person has chosen, measures, and writes down what became of it. While it does, and when it is killed, the
 * recommendation is `applied`.
 *
 * @throws {IndexBuilderBusyError} {@link InvalidIndexPlanError}, the driver's error: the recommendation is open again
 */
export async function tryRecommendation(
  context: RoundContext,
  { recommendation, statements }: ChosenRecommendation,
  actor: string,
): Promise<LedgerEntry> {
  const { plan } = recommendation;
  const [entry] = await decided(context, [recommendation], actor, (listener) =>
    context.trials(actor, false).run([{ plan, statements }], listener),
  );
  if (entry === undefined) throw context.listener.signal?.reason;
  return entry;
}

/**
 * As {@link tryRecommendation}, for all that a round builds: measured beside each other, and kept only by what was measured.
 * What the conditions leave out is open again.
 *
 * @returns entries of those that were begun @throws as {@link tryRecommendation}
 */
export function tryRecommendations(
  context: RoundContext,
  chosen: readonly ChosenRecommendation[],
  conditions: SetConditions,
): Promise<readonly LedgerEntry[]> {
  const { actor } = context.options;
  const candidates = chosen.map(({ recommendation: { plan }, statements }) => ({ plan, statements }));
  const recommendations = chosen.map((it) => it.recommendation);
  return decided(context, recommendations, actor, (listener) =>
    context.trials(actor, true).runTogether(candidates, listener, conditions),
  );
}

async function decided(
  context: RoundContext,
  recommendations: readonly StoredRecommendation[],
  actor: string,
  build: (listener: BuildListener) => Promise<readonly LedgerEntry[]>,
): Promise<readonly LedgerEntry[]> {
  const { store, listener } = context;
  const { signal, onProgress } = listener;
  const tell = (it: IndexBuildProgress) =>
    onProgress?.({ phase: 'build', text: progressText(it), build: it });
  const open = { state: 'open', decision: null } as const;
  try {
    for (const { id } of recommendations)
      await store.decide(id, { state: 'applied', decision: `Being built for ${actor}` });
    onProgress?.({ phase: 'build', text: recommendations.map((it) => it.statement).join('; ') });
    const entries = await build({ ...(signal && { signal }), ...(onProgress && { onProgress: tell }) });
    const byId = new Map(entries.map((it) => [it.recommendation, it]));
    for (const { id } of recommendations) {
      const entry = byId.get(id);
      // A cancelled build says nothing about the index.
      const isCancelled = context.isAborted && entry?.status === 'failed';
      const decision = entry === undefined ? open : decisionBy(entry);
      await store.decide(id, isCancelled ? { ...decision, state: 'open' } : decision);
    }
    return entries;
  } catch (error) {
    for (const { id } of recommendations) await store.decide(id, open).catch(() => undefined);
    throw error;
  }
}

const progressText = ({ indexName, phase, part }: IndexBuildProgress): string =>
  `${indexName}: ${phase}${part === null ? '' : ` ${Math.round(part * 100)} %`}`;
