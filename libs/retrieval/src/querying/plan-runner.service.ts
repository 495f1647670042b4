import { Inject, Injectable } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { type CodeSource } from '../codes/code-source.js';
import { ResidentCodes } from '../codes/resident-codes.service.js';
import { SqlCodes } from '../codes/sql-codes.js';
import { NeighbourhoodCache } from '../graph/neighbourhood-cache.js';
import { fallbackOf } from '../planning/allowed-plans.js';
import { type PlanChoice, PlanChooser, type RetrievalQuestion } from '../planning/plan-chooser.service.js';
import { type PlanFacts } from '../planning/plan-features.js';
import { PLANS } from '../plans/plans.js';
import { type RetrievalPlanName } from '../plans/retrieval-plan.js';
import { SampleProbe } from '../probe/sample-probe.service.js';
import { CodeThreadLostError, PlanTimeoutError } from '../retrieval.errors.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { CertifiedSearch } from '../search/certified-search.js';
import { ExactRanking } from '../search/exact-ranking.js';
import { type Statements } from '../statements.js';
import { type Embedder, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';
import { VectorCache } from '../vectors/vector-cache.js';
import { VectorIndex } from '../vectors/vector-index.service.js';
import { PlanStatements } from './plan-statements.js';
import { type SearchRun } from './search-run.js';

export interface Searched {
  readonly search: CertifiedSearch;
  readonly choice: PlanChoice;
  /** What the planner was asked, or would have been; undefined while nothing is known of the space. */
  readonly question: RetrievalQuestion | undefined;
  /** Whether the plan was not certain enough, and more was fetched. */
  readonly escalated: boolean;
  /** Whether all that was looked at is of one version: codes in memory, and neither words nor edges. */
  readonly isOfOneVersion: boolean;
  /** The plan that was given up before this one. */
  readonly givenUp: RetrievalPlanName | undefined;
}

type Followed = Pick<Searched, 'search' | 'escalated' | 'isOfOneVersion'>;

/** Chooses a plan for a query, follows it, and has the fallback answer when it fails or takes too long. */
@Injectable()
export class PlanRunner {
  #underWay = 0;

  constructor(
    private readonly transactions: Transactions,
    private readonly resident: ResidentCodes,
    private readonly neighbourhoods: NeighbourhoodCache,
    private readonly vectors: VectorCache,
    private readonly probe: SampleProbe,
    private readonly chooser: PlanChooser,
    private readonly vectorIndex: VectorIndex,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {}

  /** @throws {CodesTooLargeError} {@link CodeThreadLostError}; only for a plan that was asked for */
  async search(run: SearchRun): Promise<Searched> {
    this.#underWay++;
    try {
      return await this.#search(run);
    } finally {
      this.#underWay--;
    }
  }

  async #search(run: SearchRun): Promise<Searched> {
    const isResident = this.resident.peek(run.space, run.version) !== undefined;
    const hasVectorIndex = await this.vectorIndex.isThere();
    const question = run.clock.time('probe', () => this.#question(run, hasVectorIndex));
    const choice = run.clock.time('choose', () => this.#choose(run, question, isResident));
    if (!isResident && !run.query.plan && run.version !== undefined)
      this.resident.warm(run.space, run.version);
    try {
      return { ...(await this.#follow(run, choice)), choice, question, givenUp: undefined };
    } catch (error) {
      const fallback = fallbackAfter(error, choice);
      if (!fallback) throw error;
      const givenUp = choice.plan;
      return { ...(await this.#follow(run, fallback)), choice: fallback, question, givenUp };
    }
  }

  #question(run: SearchRun, hasVectorIndex: boolean): RetrievalQuestion | undefined {
    const facts = this.#facts(run, hasVectorIndex);
    return facts && this.chooser.question(facts);
  }

  #choose(
    { query, space, isRepeated }: SearchRun,
    question: RetrievalQuestion | undefined,
    isResident: boolean,
  ): PlanChoice {
    if (query.plan) return { plan: query.plan, reason: 'asked' };
    if (isRepeated) return { plan: fallbackOf({ isResident }), reason: 'repeated' };
    return this.chooser.choose(question, isResident, space.embedder);
  }

  /** Undefined inside a transaction, and until the first sample of the space was drawn. */
  #facts(
    { space, query, version, code, limit, wantedZ, expectedSize }: SearchRun,
    hasVectorIndex: boolean,
  ): PlanFacts | undefined {
    if (version === undefined) return undefined;
    const { filter, mode, seeds, text } = query;
    const resident = this.resident.peek(space, version);
    const sample = this.probe.sample(space, version, resident?.size);
    if (!sample) return undefined;
    const { maxNeighbours } = this.options;
    return {
      ...{ mode, filter, limit, wantedZ, seeds: seeds.length, hasText: text !== undefined },
      twoHopSize: mode === 'plain' ? 0 : expectedSize,
      chunks: resident?.size ?? sample.size,
      knownPassing: resident?.knownPassing(filter),
      reading: sample.read({ code, filter, limit, z: wantedZ }),
      ...{ isResident: resident !== undefined, hasVectorIndex },
      isNeighbourhoodKept:
        mode !== 'plain' && this.neighbourhoods.has({ ...space, version, seeds, maxNeighbours }),
      keptVectors: this.vectors.figures.vectors,
      queriesUnderWay: this.#underWay,
    };
  }

  /** Follows a plan, and tells the planner what it took. @throws {PlanTimeoutError} */
  async #follow(run: SearchRun, { plan, decision }: PlanChoice): Promise<Followed> {
    const { manager } = this.transactions;
    const watched =
      decision?.timeoutMs === undefined ? undefined : new PlanStatements(manager, decision.timeoutMs);
    const startMs = performance.now();
    try {
      const followed = await this.#run(run, plan, watched ?? manager);
      const durationMs = performance.now() - startMs;
      const missedFloor = !followed.search.isCertified;
      // What the caller's time cut short says nothing of the plan.
      if (decision && !run.clock.isOverdue) {
        this.chooser.planner.record(decision, { durationMs, missedFloor });
      }
      return followed;
    } catch (error) {
      const durationMs = performance.now() - startMs;
      if (decision && error instanceof PlanTimeoutError) {
        this.chooser.planner.record(decision, { durationMs, timedOut: true });
      }
      throw error;
    } finally {
      watched?.end();
    }
  }

  async #run(run: SearchRun, plan: RetrievalPlanName, statements: Statements): Promise<Followed> {
    const { clock, code, space, vector, version } = run;
    const { filter, mode, text } = run.query;
    const search = this.#prepare(run, statements);
    const sources = {
      sql: new SqlCodes(statements, space, code),
      indexed: (count: number) => this.vectorIndex.nearest(statements, { space, filter, count, vector }),
      resident: (): Promise<CodeSource> => this.resident.open(space, version, code),
    };
    const source = await clock.measure(plan, () => PLANS[plan].begin(search, sources));
    const escalated = await clock.measure('certify', () => search.certify(source));
    const isOfOneVersion = source !== sources.sql && mode === 'plain' && text === undefined;
    return { search, escalated, isOfOneVersion };
  }

  #prepare(
    { space, query, vector, code, clock, version, limit, wantedZ }: SearchRun,
    statements: Statements,
  ) {
    const { filter, mode, seeds } = query;
    const boost = mode === 'boost' ? this.options.boost : 0;
    const goal = {
      ...{ space, boost, filter, mode, limit, probe: code, z: wantedZ },
      isOverdue: () => clock.isOverdue,
    };
    const ranking = new ExactRanking(
      statements,
      { space, vector, boost, limit },
      this.vectors.of(this.embedder),
    );
    const walk = {
      workspaceId: space.workspaceId,
      maxNeighbours: this.options.maxNeighbours,
      version,
      seeds,
    };
    return new CertifiedSearch(goal, ranking, () => this.neighbourhoods.walk(statements, walk));
  }
}

/** What runs after a plan failed; undefined when its failure is the query's. */
function fallbackAfter(error: unknown, { reason, decision }: PlanChoice): PlanChoice | undefined {
  if (error instanceof PlanTimeoutError && decision) return { plan: decision.fallback, reason: 'timed-out' };
  if (!(error instanceof CodeThreadLostError) || reason === 'asked') return undefined;
  return { plan: fallbackOf({ isResident: false }), reason: 'thread-lost' };
}
