import { type AdvisorClient } from '../advisor/advisor.options.js';
import { type WorkloadStatement } from '../advisor/advice.js';
import { loadAnalyser } from '../analysis/parser.js';
import { problemText } from '../execution/problem-text.js';
import { BuilderSession } from './builder-session.js';
import { IndexBuildError, IndexLedgerEntryError } from './index-builder.errors.js';
import { IndexBuilder, type BuildListener } from './index-builder.js';
import {
  parseIndexTrialOptions,
  type IndexTrialOptions,
  type IndexTrialOptionsInput,
} from './index-builder.options.js';
import { IndexLedger, type LedgerEntry, type LedgerOutcome } from './index-ledger.js';
import { parseIndexPlan, placeOf, type IndexPlan } from './index-plan.js';
import { type SetConditions, tryTogether } from './joint-trial.js';
import {
  nameOf,
  pair,
  StatementReplay,
  timeAll,
  type Timing,
  type TrialMeasurement,
} from './statement-replay.js';
import { beginTrial } from './trial-entry.js';
import { judge, regressionsIn, tooLarge } from './verdict.js';

/** An index, and the statements that say whether it is worth its room. */
export interface TrialCandidate {
  /** A recommendation of the advisor, or its JSON. */
  readonly plan: unknown;
  readonly statements: readonly WorkloadStatement[];
  /** A larger one is dropped again, however fast it is: a size before the build is an estimate. @default no limit */
  readonly maxBytes?: number;
}

/** What is tried: a candidate whose plan was read. */
interface Trial {
  readonly plan: IndexPlan;
  readonly statements: readonly WorkloadStatement[];
  readonly maxBytes: number;
}

/** What one trial needs of its session. */
export interface Bench {
  readonly builder: IndexBuilder;
  readonly ledger: IndexLedger;
  readonly replay: StatementReplay;
  readonly client: AdvisorClient;
}

/**
 * Builds indexes that were recommended, measures the statements they are for before and after, keeps what is faster and
 * drops what is not. Everything stands in a ledger, and nothing that does not stand there is ever dropped.
 */
export class IndexTrials {
  readonly #options: IndexTrialOptions;

  /** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
  constructor(options: IndexTrialOptionsInput) {
    this.#options = parseIndexTrialOptions(options);
  }

  /**
   * One after the other, in the order given. What fails stands in the ledger, and the next one is tried.
   *
   * @returns the ledger's entries, in the same order
   * @throws {IndexBuilderBusyError} another process is at it
   * @throws {IndexLedgerUnavailableError} no right to write it, or a server that only reads
   * @throws {InvalidIndexPlanError} before anything is built
   */
  async run(candidates: readonly TrialCandidate[], listener: BuildListener = {}): Promise<LedgerEntry[]> {
    await loadAnalyser();
    const all = candidates.map(({ plan, statements, maxBytes = Infinity }): Trial => {
      return { plan: parseIndexPlan(plan), statements, maxBytes };
    });
    return this.#within(async (bench) => {
      await bench.ledger.install();
      await this.#clearUp(bench);
      const entries: LedgerEntry[] = [];
      for (const trial of all) {
        if (listener.signal?.aborted) break;
        entries.push(await this.#try(trial, bench, listener));
      }
      return entries;
    });
  }

  /**
   * Drops an index that a trial has kept.
   *
   * @param why for the ledger, where there is more to say than who
   * @throws {IndexLedgerEntryError} no such entry, or there is nothing to revert
   * @throws {IndexBuildError} the index is another one by now, or could not be dropped
   * @throws {IndexBuilderBusyError}
   */
  revert(id: string, why?: string): Promise<LedgerEntry> {
    return this.#within(async ({ builder, ledger }) => {
      if (!(await ledger.exists())) throw new IndexLedgerEntryError(id, 'does not exist: there is no ledger');
      const entry = await ledger.entry(id);
      if (entry.status !== 'kept')
        throw new IndexLedgerEntryError(id, `says "${entry.status}": nothing to revert`);
      const place = placeOf(entry.plan, 'plain');
      const there = await builder.find(place);
      if (there !== undefined && there.definition !== entry.definition) {
        throw new IndexBuildError(
          entry.plan.indexName,
          'changed',
          'it is not the one of the ledger any more',
        );
      }
      await builder.drop(place, entry.plan.isPartitioned);
      const reasons = [why, there ? undefined : 'it was gone already'].filter((it) => it !== undefined);
      const decision = [`Reverted by ${this.#options.actor}`, ...reasons].join(': ');
      await ledger.end(id, { status: 'reverted', decision });
      return ledger.entry(id);
    });
  }

  /** The newest first; empty where nothing was ever built. */
  async ledger(limit?: number): Promise<readonly LedgerEntry[]> {
    return this.read(async (ledger) => ledger.list(limit), []);
  }

  /** Asks the ledger something. @returns `otherwise` when there is none */
  async read<T>(ask: (ledger: IndexLedger) => Promise<T>, otherwise: T): Promise<T> {
    const client = await this.#options.source.connect();
    let isBroken = true;
    try {
      const ledger = new IndexLedger(client, this.#options.schema);
      const answer = (await ledger.exists()) ? await ask(ledger) : otherwise;
      isBroken = false;
      return answer;
    } finally {
      client.release(isBroken);
    }
  }

  /**
   * Builds all of them before anything is measured, and keeps those that help beside the others: indexes of a join gain together
   * or not at all, and halfway the planner may fall for worse plans than before and after. What fails stands in the ledger.
   *
   * @returns the ledger's entries, in the same order, of those that were begun
   * @throws {IndexBuilderBusyError} another process is at it
   * @throws {InvalidIndexPlanError} before anything is built
   */
  async runTogether(
    candidates: readonly Omit<TrialCandidate, 'maxBytes'>[],
    listener: BuildListener = {},
    conditions: SetConditions = {},
  ): Promise<LedgerEntry[]> {
    await loadAnalyser();
    const plans = candidates.map(({ plan, statements }) => ({ plan: parseIndexPlan(plan), statements }));
    return this.#within(async (bench) => {
      await bench.ledger.install();
      await this.#clearUp(bench);
      return tryTogether(plans, conditions, bench, this.#options, listener);
    });
  }

  #within<T>(work: (bench: Bench) => Promise<T>): Promise<T> {
    const { source, lockTimeoutMs, schema, rounds, statementTimeoutMs } = this.#options;
    return BuilderSession.with(source, lockTimeoutMs, (session) => {
      const { client } = session;
      return work({
        client,
        builder: new IndexBuilder(session, this.#options),
        ledger: new IndexLedger(client, schema),
        replay: new StatementReplay(client, { rounds, timeoutMs: statementTimeoutMs }),
      });
    });
  }

  /** What builders left that were killed, or that could not drop it: an index nobody has measured does not stay. */
  async #clearUp({ ledger, builder }: Bench): Promise<void> {
    for (const { id, plan } of await ledger.unfinished()) {
      try {
        await builder.dropAll(plan);
        await ledger.end(id, {
          status: 'failed',
          decision: 'It was not finished; what was left of it was dropped',
        });
      } catch (error) {
        // It stays "building", and the next run tries again.
        if (!(error instanceof IndexBuildError)) throw error;
      }
    }
  }

  async #try(trial: Trial, bench: Bench, listener: BuildListener): Promise<LedgerEntry> {
    const { ledger } = bench;
    const { id, isSettled } = await beginTrial(trial.plan, bench, this.#options.actor);
    if (isSettled) return ledger.entry(id);
    await ledger.end(id, await this.#outcome(trial, bench, listener));
    return ledger.entry(id);
  }

  async #outcome(
    { plan, statements, maxBytes }: Trial,
    { builder, replay, client }: Bench,
    listener: BuildListener,
  ): Promise<LedgerOutcome> {
    try {
      for (const statement of plan.prerequisites) await client.query(statement);
      const before = await timeAll(replay, statements);
      const { definition, sizeBytes, buildMs } = await builder.build(plan, listener);
      const isTooLarge = sizeBytes > maxBytes;
      const measurements = isTooLarge ? [] : await this.#compare(replay, statements, before);
      const { keep, reason } = isTooLarge
        ? { keep: false, reason: tooLarge(sizeBytes, maxBytes) }
        : judge(measurements, this.#options);
      if (!keep) await builder.drop(placeOf(plan, 'plain'), plan.isPartitioned);
      const status = keep ? 'kept' : 'dropped';
      return { status, decision: reason, measurements, definition, sizeBytes, buildMs };
    } catch (error) {
      // What could not be dropped is left to the next run, which looks for what is not finished.
      const isLeft = error instanceof IndexBuildError && error.details.leftover !== undefined;
      return { status: isLeft ? 'building' : 'failed', decision: problemText(error) };
    }
  }

  /** What seems slower is measured once more: a machine that was busy for a moment must not cost an index. */
  async #compare(
    replay: StatementReplay,
    statements: readonly WorkloadStatement[],
    before: readonly Timing[],
  ): Promise<readonly TrialMeasurement[]> {
    const first = pair(statements, before, await timeAll(replay, statements));
    const suspects = new Set(regressionsIn(first, this.#options.maxRegression).map((it) => it.statement));
    if (suspects.size === 0) return first;
    const again = await timeAll(
      replay,
      statements.filter((it, index) => suspects.has(nameOf(it, index))),
    );
    return first.map((it) => {
      if (!suspects.has(it.statement)) return it;
      const timing = again.shift();
      return timing && 'ms' in timing ? { ...it, afterMs: Math.min(it.afterMs ?? Infinity, timing.ms) } : it;
    });
  }
}
