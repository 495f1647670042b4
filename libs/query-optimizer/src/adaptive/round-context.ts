import { type AdvisorClient } from '../advisor/advisor.options.js';
import { type Ask } from '../execution/own-statements.js';
import { IndexLedger } from '../index-builder/index-ledger.js';
import { IndexTrials } from '../index-builder/index-trial.js';
import { type AdaptiveIndexingOptions } from './adaptive-indexing.options.js';
import { type AdaptiveListener, type AdaptiveRound, type RoundProblem } from './adaptive-round.js';
import { adaptiveTables, installAdaptiveIndexing } from './adaptive-tables.js';
import { RecommendationStore } from './recommendation-store.js';
import { asking } from './round-session.js';
import { NOTHING_DONE, RoundStore } from './round-store.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Findings = Mutable<Omit<AdaptiveRound, 'id' | 'mode' | 'outcome' | 'startedAt' | 'endedAt'>>;

/** What one round, apply or revert works with, on the connection that holds the lock. */
export class RoundContext {
  readonly ask: Ask;
  readonly store: RecommendationStore;
  readonly rounds: RoundStore;
  readonly ledger: IndexLedger;
  /** What the round tells at its end. */
  readonly found: Findings = { ...NOTHING_DONE };

  constructor(
    client: AdvisorClient,
    readonly options: AdaptiveIndexingOptions,
    readonly listener: AdaptiveListener,
  ) {
    const tables = adaptiveTables(options.schema);
    this.ask = asking(client);
    this.store = new RecommendationStore(this.ask, tables);
    this.rounds = new RoundStore(this.ask, tables);
    this.ledger = new IndexLedger(client, options.schema);
  }

  get isAborted(): boolean {
    return this.listener.signal?.aborted === true;
  }

  /** Makes the tables, where they are missing. @throws the driver's error: no right to, a server that only reads */
  async install(): Promise<void> {
    await this.ledger.install();
    if (await this.store.exists()) return;
    for (const statement of installAdaptiveIndexing(this.options.schema)) await this.ask(statement);
  }

  /** Forgets what is too old to be of interest. @throws the driver's error */
  async prune(): Promise<void> {
    const { retentionDays } = this.options;
    await this.rounds.prune(retentionDays);
    await this.store.prune(retentionDays);
  }

  /** @param isAuto a machine has decided, so what cannot be measured does not stay */
  trials(actor: string, isAuto: boolean): IndexTrials {
    const { source, schema, lockTimeoutMs, attempts, retryMs, progressEveryMs } = this.options;
    const { statementTimeoutMs, minGain, maxRegression, toleratedRegression } = this.options;
    return new IndexTrials({
      ...{ source, schema, actor, lockTimeoutMs, attempts, retryMs, progressEveryMs },
      ...{ statementTimeoutMs, minGain, maxRegression, toleratedRegression, requireMeasurement: isAuto },
    });
  }

  problem(part: RoundProblem['part'], reason: string): void {
    this.found.problems = [...this.found.problems, { part, reason }];
  }

  /** Notes the recommendation under one of the round's lists. */
  note(list: 'kept' | 'dropped' | 'failed' | 'reverted', id: string): void {
    this.found[list] = [...this.found[list], id];
  }
}
