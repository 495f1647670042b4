import { Inject, Injectable } from '@nestjs/common';
import { signCode } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { certaintyFor } from '../certificate/certificate.js';
import { RetrievalCalibration } from '../certificate/retrieval-calibration.service.js';
import { type CodeSource } from '../codes/code-source.js';
import { ResidentCodes } from '../codes/resident-codes.service.js';
import { SqlCodes } from '../codes/sql-codes.js';
import { NeighbourhoodCache } from '../graph/neighbourhood-cache.js';
import { PLANS } from '../plans/plans.js';
import { CodeThreadLostError, PlanNotApplicableError } from '../retrieval.errors.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { CertifiedSearch } from '../search/certified-search.js';
import { ExactRanking } from '../search/exact-ranking.js';
import { assertDirection, embedAll, type Embedder, RETRIEVAL_EMBEDDER } from '../vectors/embedder.js';
import { VectorCache } from '../vectors/vector-cache.js';
import { fuseScores, type FusedChunk } from './fuse-scores.js';
import { type KeywordAnswer, keywordLeg } from './keyword-leg.js';
import { choosePlan, type PlanChoice } from './plan-choice.js';
import { type RetrievalAnswer, type RetrievalExplanation, type RetrievalHit } from './retrieval-answer.js';
import { parseRetrievalQuery, type RetrievalQuery, type RetrievalQueryInput } from './retrieval-query.js';
import { readSearchStart } from './search-start.js';
import { StageClock } from './stage-clock.js';

/** What one query works with. */
interface Run {
  readonly workspaceId: string;
  readonly query: RetrievalQuery;
  readonly vector: Float32Array;
  readonly clock: StageClock;
  /** Undefined inside a transaction. */
  readonly version: string | undefined;
  readonly expectedSize: number;
  /** What floors up to 0.95 need. */
  readonly certainty: number;
}

interface Searched {
  readonly search: CertifiedSearch;
  readonly choice: PlanChoice;
  readonly escalated: boolean;
}

/** Finds chunks by vector, words and graph, and says what is known of the answer's recall. */
@Injectable()
export class RetrievalService {
  constructor(
    private readonly transactions: Transactions,
    private readonly resident: ResidentCodes,
    private readonly calibration: RetrievalCalibration,
    private readonly neighbourhoods: NeighbourhoodCache,
    private readonly vectors: VectorCache,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {}

  /**
   * @throws {InvalidRetrievalQueryError} {@link UnknownFilterFieldError} {@link InvalidVectorError} {@link ChunkNotFoundError}
   *   {@link PlanNotApplicableError} {@link CodesTooLargeError} {@link CodeThreadLostError}; the last two only for a plan that was asked for
   */
  async query(workspaceId: string, input: RetrievalQueryInput): Promise<RetrievalAnswer> {
    const query = parseRetrievalQuery(input);
    if (query.plan && !PLANS[query.plan].modes.includes(query.mode)) {
      throw new PlanNotApplicableError(query.plan, query.mode);
    }
    const clock = new StageClock(query.budgetMs);
    const vector = await clock.measure('embed', () => this.#vectorOf(query));
    const { manager, active } = this.transactions;
    const start = await clock.measure('start', () => readSearchStart(manager, workspaceId, query.seeds));
    // What an open transaction sees is nobody else's: nothing is kept of it.
    const version = active ? undefined : start.version;
    const { z: certainty } = await this.calibration.current();
    const known = { version, certainty, expectedSize: start.expectedSize };
    const run: Run = { workspaceId, query, vector, clock, ...known };
    const searched = await this.#search(run);
    this.calibration.offer(searched.search, run);
    const keywords = await this.#keywords(run, searched.search);
    const best = await clock.measure('fuse', () => this.#fuse(query, searched.search, keywords));
    const hits = await clock.measure('read', () => this.#read(workspaceId, best));
    return { hits, explanation: this.#explain(run, searched, keywords) };
  }

  async #vectorOf({ vector, text = '' }: RetrievalQuery): Promise<Float32Array> {
    const found = vector ?? (await embedAll(this.embedder, [text]))[0] ?? [];
    assertDirection(found, this.embedder);
    return Float32Array.from(found);
  }

  async #search(run: Run): Promise<Searched> {
    const space = { workspaceId: run.workspaceId, embedder: this.embedder.id };
    const isResident = this.resident.peek(space, run.version) !== undefined;
    if (!isResident && !run.query.plan && run.version !== undefined) this.resident.warm(space, run.version);
    const choice = choosePlan(run.query, { expectedSize: run.expectedSize, isResident });
    try {
      return await this.#follow(run, choice);
    } catch (error) {
      if (run.query.plan || !(error instanceof CodeThreadLostError)) throw error;
      return this.#follow(run, { plan: 'filtered-vector', why: `a thread was lost (${error.code})` });
    }
  }

  async #follow(run: Run, choice: PlanChoice): Promise<Searched> {
    const { clock } = run;
    const search = this.#prepare(run);
    const { space, probe } = search.goal;
    const sources = {
      sql: new SqlCodes(this.transactions.manager, space, probe),
      resident: (): Promise<CodeSource> => this.resident.open(space, run.version, probe),
    };
    const source = await clock.measure(choice.plan, () => PLANS[choice.plan].begin(search, sources));
    const escalated = await clock.measure('certify', () => search.certify(source));
    return { search, choice, escalated };
  }

  #prepare({ workspaceId, query, vector, clock, version, certainty }: Run): CertifiedSearch {
    const { manager } = this.transactions;
    const { maxNeighbours, legHits } = this.options;
    const space = { workspaceId, embedder: this.embedder.id };
    const boost = query.mode === 'boost' ? this.options.boost : 0;
    const goal = {
      ...{ space, boost, filter: query.filter, mode: query.mode, probe: signCode(vector) },
      limit: query.text === undefined ? query.limit : Math.max(query.limit, legHits),
      z: certaintyFor(query.recallFloor, certainty),
      isOverdue: () => clock.isOverdue,
    };
    const ranking = new ExactRanking(
      manager,
      { space, vector, boost, limit: goal.limit },
      this.vectors.of(this.embedder),
    );
    const walk = { workspaceId, maxNeighbours, version, seeds: query.seeds };
    return new CertifiedSearch(goal, ranking, () => this.neighbourhoods.walk(manager, walk));
  }

  async #keywords({ query, clock }: Run, search: CertifiedSearch): Promise<KeywordAnswer | undefined> {
    const { text, mode, filter } = query;
    if (text === undefined) return undefined;
    const only = mode === 'within' ? [...(search.neighbourhood?.proximities.keys() ?? [])] : undefined;
    const { keywordReach: reach, legHits } = this.options;
    const limit = Math.max(query.limit, legHits);
    return clock.measure('keywords', () =>
      keywordLeg(this.transactions.manager, search.goal.space, { text, filter, only, reach, limit }),
    );
  }

  async #fuse(
    { limit }: RetrievalQuery,
    search: CertifiedSearch,
    keywords: KeywordAnswer | undefined,
  ): Promise<FusedChunk[]> {
    const { ranking } = search;
    if (!keywords) return ranking.best().map((it) => ({ ...it, keyword: null }));
    const byWords = [...keywords.scores.keys()];
    await search.rank(byWords);
    const nearest = ranking.best().map((it) => it.chunkId);
    const found = ranking.of([...new Set([...nearest, ...byWords])]);
    return fuseScores(found, keywords.scores, this.options.weights).slice(0, limit);
  }

  async #read(workspaceId: string, best: readonly FusedChunk[]): Promise<RetrievalHit[]> {
    const rows = await this.transactions.manager.query<
      Pick<RetrievalHit, 'chunkId' | 'documentId' | 'place' | 'type' | 'createdAt' | 'text'>[]
    >(
      `SELECT k.id AS "chunkId", k.document_id AS "documentId", k.place, k.type, k.created_at AS "createdAt", k.text
         FROM retrieval_chunks k WHERE k.workspace_id = $1 AND k.id = ANY ($2::uuid[])`,
      [workspaceId, best.map((it) => it.chunkId)],
    );
    const shown = new Map(rows.map((it) => [it.chunkId, it]));
    return best.flatMap((it) => {
      const row = shown.get(it.chunkId);
      return row ? [{ ...row, ...it }] : [];
    });
  }

  #explain(
    run: Run,
    { search, choice, escalated }: Searched,
    keywords: KeywordAnswer | undefined,
  ): RetrievalExplanation {
    const z = search.certainty;
    const { neighbourhood } = search;
    return {
      ...choice,
      status: search.isComplete ? 'complete' : search.isCertified ? 'certified' : 'uncertified',
      z: Number.isFinite(z) ? z : null,
      wantedZ: Number.isFinite(search.goal.z) ? search.goal.z : null,
      escalated,
      compared: search.ranking.compared,
      stages: run.clock.stages,
      neighbourhood: neighbourhood
        ? {
            expectedSize: run.expectedSize,
            size: neighbourhood.proximities.size,
            truncated: neighbourhood.truncated,
          }
        : null,
      keywords: keywords ? { truncated: keywords.truncated } : null,
    };
  }
}
