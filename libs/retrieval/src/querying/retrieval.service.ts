import { Inject, Injectable } from '@nestjs/common';
import { signCode } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { certaintyFor } from '../certificate/certificate.js';
import { RetrievalCalibration } from '../certificate/retrieval-calibration.service.js';
import { PLANS } from '../plans/plans.js';
import { PlanNotApplicableError } from '../retrieval.errors.js';
import { RETRIEVAL_OPTIONS, type RetrievalOptions } from '../retrieval.options.js';
import { type CertifiedSearch } from '../search/certified-search.js';
import { RetrievalMetrics } from '../statistics/retrieval-metrics.js';
import {
  assertDirection,
  embedAll,
  type Embedder,
  type EmbedOptions,
  RETRIEVAL_EMBEDDER,
} from '../vectors/embedder.js';
import { fuseScores, type FusedChunk } from './fuse-scores.js';
import { type KeywordAnswer, keywordLeg } from './keyword-leg.js';
import { PlanRunner, type Searched } from './plan-runner.service.js';
import { type RetrievalAnswer, type RetrievalExplanation, type RetrievalHit } from './retrieval-answer.js';
import { parseRetrievalQuery, type RetrievalQuery, type RetrievalQueryInput } from './retrieval-query.js';
import { type SearchRun } from './search-run.js';
import { readSearchStart } from './search-start.js';
import { StageClock } from './stage-clock.js';
import { StageTimes } from './stage-times.js';
import { whyOf } from './why.js';

export interface RetrievalCallOptions {
  readonly signal?: AbortSignal;
}

/** Finds chunks by vector, words and graph, and says what is known of the answer's recall. */
@Injectable()
export class RetrievalService {
  constructor(
    private readonly transactions: Transactions,
    private readonly runner: PlanRunner,
    private readonly calibration: RetrievalCalibration,
    private readonly stageTimes: StageTimes,
    private readonly metrics: RetrievalMetrics,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
    @Inject(RETRIEVAL_OPTIONS) private readonly options: RetrievalOptions,
  ) {}

  /**
   * @param options.signal ends the work between two statements when nobody waits for the answer any more
   * @throws {InvalidRetrievalQueryError} {@link UnknownFilterFieldError} {@link InvalidVectorError} {@link ChunkNotFoundError}
   *   {@link PlanNotApplicableError} {@link CodesTooLargeError} {@link CodeThreadLostError}; the last two, and {@link VectorIndexMissingError}, only for a plan that was asked for
   */
  async query(
    workspaceId: string,
    input: RetrievalQueryInput,
    { signal }: RetrievalCallOptions = {},
  ): Promise<RetrievalAnswer> {
    const query = parseRetrievalQuery(input);
    if (query.plan && !PLANS[query.plan].modes.includes(query.mode)) {
      throw new PlanNotApplicableError(query.plan, query.mode);
    }
    const run = await this.#begin(workspaceId, query, signal);
    const { clock } = run;
    const searched = await this.runner.search(run);
    this.calibration.offer(searched.search, run);
    const keywords = await this.#keywords(run, searched.search);
    const best = await clock.measure('fuse', () => this.#fuse(query, searched.search, keywords));
    const hits = await clock.measure('read', () => this.#read(workspaceId, best));
    const explanation = this.#explain(run, searched, keywords);
    this.metrics.record(explanation, clock.elapsedMs);
    return { hits, explanation };
  }

  async #begin(
    workspaceId: string,
    query: RetrievalQuery,
    signal: AbortSignal | undefined,
  ): Promise<SearchRun> {
    const clock = new StageClock(query.budgetMs ?? this.options.budgetMs, signal);
    const embedding = { workspaceId, ...(signal && { signal }) };
    const vector = await clock.measure('embed', () => this.#vectorOf(query, embedding));
    const { manager, active } = this.transactions;
    const start = await clock.measure('start', () => readSearchStart(manager, workspaceId, query.seeds));
    const { z: certainty } = await this.calibration.current();
    return {
      ...{ query, vector, clock, space: { workspaceId, embedder: this.embedder.id } },
      code: signCode(vector),
      // What an open transaction sees is nobody else's: nothing is kept of it.
      version: active ? undefined : start.version,
      expectedSize: start.expectedSize,
      limit: query.text === undefined ? query.limit : Math.max(query.limit, this.options.legHits),
      wantedZ: certaintyFor(query.recallFloor, certainty),
    };
  }

  async #vectorOf({ vector, text = '' }: RetrievalQuery, options: EmbedOptions): Promise<Float32Array> {
    const found = vector ?? (await embedAll(this.embedder, [text], options))[0] ?? [];
    assertDirection(found, this.embedder);
    return Float32Array.from(found);
  }

  async #keywords({ query, clock }: SearchRun, search: CertifiedSearch): Promise<KeywordAnswer | undefined> {
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

  #explain(run: SearchRun, searched: Searched, keywords: KeywordAnswer | undefined): RetrievalExplanation {
    const { search, choice, escalated, givenUp } = searched;
    const { neighbourhood, ranking } = search;
    const z = search.certainty;
    return {
      plan: choice.plan,
      ...whyOf(searched),
      ...{ escalated, givenUp: givenUp ?? null },
      status: search.isComplete ? 'complete' : search.isCertified ? 'certified' : 'uncertified',
      z: Number.isFinite(z) ? z : null,
      wantedZ: Number.isFinite(run.wantedZ) ? run.wantedZ : null,
      ...{ compared: ranking.compared, read: ranking.read },
      stages: this.stageTimes.learn(choice.plan, run.query.mode, run.clock.stages),
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
