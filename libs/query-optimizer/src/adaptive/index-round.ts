import { advise } from '../advisor/advise.js';
import { type Advice } from '../advisor/advice.js';
import { loadAnalyser } from '../analysis/parser.js';
import { problemText } from '../execution/problem-text.js';
import { QueryOptimizerError } from '../query-optimizer.errors.js';
import { type RoundOutcome, type RoundProblem } from './adaptive-round.js';
import { BuildHours } from './build-hours.js';
import { DailyBudget, type Spent } from './daily-budget.js';
import { type FoundWorkload, readDatabaseWorkload } from './database-workload.js';
import { IndexWatch } from './index-watch.js';
import { figuresOf, mergeInto } from './recommendation-merge.js';
import { decisionBy, followLedger } from './recommendation-sync.js';
import {
  canBeMeasured,
  type ChosenRecommendation,
  measuredStatements,
  tryRecommendations,
  watchedStatements,
} from './recommendation-trial.js';
import { type RoundContext } from './round-context.js';
import { type StoredRecommendation } from './stored-recommendation.js';

const UNMEASURABLE =
  'Left to a person: none of its statements can be measured, as the values of their parameters are not known';

/** One round, on the connection that holds the lock, with tables that are there. */
export class IndexRound {
  readonly #hours: BuildHours;
  readonly #budget: DailyBudget;

  constructor(private readonly context: RoundContext) {
    const { buildHours, timeZone } = context.options;
    this.#hours = new BuildHours(buildHours, timeZone);
    this.#budget = new DailyBudget(context.options);
  }

  /** @returns how it ended; what it found is in the context @throws the driver's error when the connection is lost */
  async run(): Promise<RoundOutcome> {
    const { context } = this;
    await loadAnalyser();
    await this.#clearUp();
    await followLedger(context.store, context.ledger);
    await this.#watch();
    if (context.isAborted) return 'cancelled';
    const workload = await this.#workload();
    const isAdvised = await this.#advise(workload);
    if (context.isAborted) return 'cancelled';
    if (context.options.mode === 'apply') await this.#apply(workload);
    return context.isAborted ? 'cancelled' : isAdvised ? 'completed' : 'failed';
  }

  /** What a builder left that was killed. Any run of trials begins with it. */
  async #clearUp(): Promise<void> {
    const { context } = this;
    const unfinished = await context.ledger.unfinished();
    if (unfinished.length === 0) return;
    await this.#guarded('build', () => context.trials(context.options.actor, true).run([]));
  }

  async #watch(): Promise<void> {
    const { context } = this;
    const { replicas, statementTimeoutMs: timeoutMs, unusedAfterDays } = context.options;
    context.listener.onProgress?.({ phase: 'watch', text: 'Looking after what was kept' });
    const { ask, store, ledger } = context;
    const problems = await new IndexWatch({ ask, store, ledger, replicas, timeoutMs }).run();
    for (const it of problems) context.problem('watch', it);
    if (problems.length > 0) return;
    const unused = await store.proposeReverts(unusedAfterDays);
    for (const it of unused) if (this.#mayRevert() && this.#isOurs(it)) await this.#revert(it);
  }

  #isOurs({ plan }: Pick<StoredRecommendation, 'plan'>): boolean {
    const { schemas } = this.context.options;
    return schemas.length === 0 || schemas.includes(plan.table.schema);
  }

  #mayRevert(): boolean {
    const { mode, revertUnused, now } = this.context.options;
    return mode === 'apply' && revertUnused && this.#hours.includes(now()) && !this.context.isAborted;
  }

  /** What a person has built is a person's to revert. */
  async #revert({ id, ledgerId, revertProposal }: StoredRecommendation): Promise<void> {
    const { context } = this;
    const { actor } = context.options;
    const entry = ledgerId === null ? undefined : await context.ledger.entry(ledgerId);
    if (entry?.actor !== actor) return;
    await this.#guarded('watch', async () => {
      const trials = context.trials(actor, true);
      await context.store.decide(id, decisionBy(await trials.revert(entry.id, revertProposal ?? undefined)));
      context.note('reverted', id);
    });
  }

  async #workload(): Promise<FoundWorkload> {
    const { context } = this;
    const { schema, evidence, captured } = context.options;
    context.listener.onProgress?.({ phase: 'workload', text: 'Reading what the database is asked' });
    const found = await readDatabaseWorkload(context.ask, { schema, evidence, captured: captured() });
    for (const it of found.problems) context.problem('workload', it);
    context.found.statements = found.statements.length;
    context.found.sources = found.sources;
    return found;
  }

  /** @returns whether there is advice, so that what it does not recommend is obsolete */
  async #advise({ statements }: FoundWorkload): Promise<boolean> {
    const { context } = this;
    const { source, adviceTimeLimitMs: timeLimitMs, maxRegression } = context.options;
    context.listener.onProgress?.({
      phase: 'advice',
      text: `Looking for indexes for ${statements.length} statements`,
    });
    let advice: Advice;
    try {
      advice = await advise(statements, { source, timeLimitMs, maxRegression });
    } catch (error) {
      context.problem('advice', problemText(error));
      return false;
    }
    const made = figuresOf(advice, statements).filter((it) => this.#isOurs(it));
    const known = new Map((await context.store.rows()).map((it) => [it.id, it]));
    const now = await this.#serverTime();
    for (const [rank, it] of made.entries()) {
      const merge = mergeInto(known.get(it.id), it, context.options, now);
      if (merge.action === 'open') await context.store.open(it, rank, merge.decision);
      else await context.store.seen(it.id);
    }
    const ids = made.map((it) => it.id);
    await context.store.retire(ids, context.options.schemas);
    // Of those that are new here, people may have built or dropped some from the command line.
    await followLedger(context.store, context.ledger);
    context.found.recommended = ids;
    context.found.rejected = advice.rejected;
    context.found.statisticsAdvice = advice.statisticsAdvice;
    return true;
  }

  async #serverTime(): Promise<number> {
    const [row] = await this.context.ask<{ now: Date }>('SELECT now() AS now');
    return row?.now.getTime() ?? Date.now();
  }

  async #apply(workload: FoundWorkload): Promise<void> {
    const { context } = this;
    const spent = await context.ledger.spentInADay();
    const chosen: ChosenRecommendation[] = [];
    let planned = spent;
    for (const it of await context.store.list(['open'])) {
      if (context.isAborted) return;
      if (!this.#isOurs(it)) continue;
      const wait = this.#reasonToWait(it, planned);
      const statements = wait === null ? await measuredStatements(context, it, workload.statements) : [];
      if (wait === null && statements.some(canBeMeasured)) {
        chosen.push({ recommendation: it, statements });
        planned = { indexes: planned.indexes + 1, bytes: planned.bytes + it.sizeBytes };
      } else await context.store.decide(it.id, { state: 'open', decision: wait ?? UNMEASURABLE });
    }
    if (chosen.length > 0) await this.#guarded('build', () => this.#try(chosen, spent, workload));
  }

  /** Null when it may be built now. */
  #reasonToWait({ sizeBytes }: StoredRecommendation, spent: Spent): string | null {
    const { now, buildHours, timeZone } = this.context.options;
    if (!this.#hours.includes(now()))
      return `Waits for the hours in which indexes are built: ${buildHours.join(', ')} ${timeZone}`;
    return this.#budget.refusal(spent, sizeBytes);
  }

  /** All of them beside each other. What turns out to have no room, or no time, by then is open. */
  async #try(chosen: readonly ChosenRecommendation[], spent: Spent, workload: FoundWorkload): Promise<void> {
    const { context } = this;
    const byId = new Map(chosen.map(({ recommendation: it }) => [it.id, it]));
    const waiting = new Map<string, string>();
    const maxBytes = this.#budget.bytesLeft(spent);
    const entries = await tryRecommendations(context, chosen, {
      watched: await watchedStatements(context, chosen, workload.statements),
      maxBytes,
      mayBegin: ({ id }, bytesLeft) => {
        const bytes = spent.bytes + maxBytes - bytesLeft;
        const it = byId.get(id);
        const wait = it ? this.#reasonToWait(it, { indexes: spent.indexes, bytes }) : null;
        if (wait !== null) waiting.set(id, wait);
        return wait === null;
      },
    });
    for (const [id, decision] of waiting) await context.store.decide(id, { state: 'open', decision });
    for (const { recommendation: id, status } of entries) {
      if (status === 'kept' || status === 'dropped') context.note(status, id);
      else if (!context.isAborted) context.note('failed', id);
    }
  }

  /** @returns false when others build, or the database says no: the round goes on without */
  async #guarded(part: RoundProblem['part'], work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!this.context.isAborted) this.context.problem(part, problemText(error));
      // A lost connection ends the round; all else that the database says ends only this.
      if (!(error instanceof QueryOptimizerError)) await this.context.ask('SELECT 1');
      return false;
    }
  }
}
