import { Inject, Injectable, Logger } from '@nestjs/common';
import { Transactions } from '@peregrine/database';
import { embedAll, type Embedder, MEMORY_EMBEDDER } from '../embedding/embedder.js';
import { FeedbackService } from '../feedback/feedback.service.js';
import { type Memory } from '../memory.js';
import { InvalidMemoryQueryError } from '../memories.errors.js';
import { MEMORIES_OPTIONS, type MemoriesOptions } from '../memories.options.js';
import { VectorIndexProvider } from '../vectors/vector-index.provider.js';
import { type Candidate, type MemoryScore, rankMemories, type RankedMemory } from './rank-memories.js';
import { FIRST_VECTOR_PARAMETER, searchStatement } from './search-statement.js';

/** The longest query, in characters. */
export const MAX_MEMORY_QUERY_LENGTH = 4_000;
/** Most memories in an answer: each pair of them is an association. */
export const MAX_MEMORY_HITS = 50;

export interface QueryOptions {
  readonly query: string;
  /** 1 to {@link MAX_MEMORY_HITS}. */
  readonly limit: number;
  /** Whether the answer counts as use. @default true */
  readonly learn?: boolean;
}

export interface MemoryHit extends Memory {
  /** The originals that a summary stands for; none of an original. */
  sources: string[];
  /** Why it stands where it does. */
  explanation: MemoryScore;
}

export interface MemoryAnswer {
  /** Best first. */
  hits: MemoryHit[];
  /** False: the query's embedding was not there in time, and the answer is by words alone. */
  usedVector: boolean;
}

type ShownContent = Pick<MemoryHit, 'content' | 'sources'>;

/** Finds memories by their words, their meaning, and what they were used with. */
@Injectable()
export class MemoryQueryService {
  readonly #log = new Logger(MemoryQueryService.name);

  constructor(
    private readonly transactions: Transactions,
    private readonly indexes: VectorIndexProvider,
    private readonly feedback: FeedbackService,
    @Inject(MEMORY_EMBEDDER) private readonly embedder: Embedder,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {}

  /**
   * Two statements, whatever the size; what the answer teaches is written later, with that of other answers.
   *
   * @throws {InvalidMemoryQueryError}
   */
  async query(workspaceId: string, { query, limit, learn = true }: QueryOptions): Promise<MemoryAnswer> {
    const text = parseQuery(query, limit);
    const vector = await this.#embed(workspaceId, text);
    const candidates = await this.#candidates(workspaceId, text, vector);
    const now = new Date();
    const ranked = rankMemories(candidates, { vector, weights: this.options.weights, now }).slice(0, limit);
    const contents = await this.#contents(workspaceId, ranked);
    if (learn && ranked.length > 0) {
      this.feedback.record({ workspaceId, memoryIds: byRelevance(ranked) }, now);
    }
    return { hits: ranked.flatMap((it) => toHit(it, contents)), usedVector: vector !== null };
  }

  /** The embedding, or null when it is not there in time: it will be in the embedder's cache for the next one who asks. */
  async #embed(workspaceId: string, text: string): Promise<Float32Array | null> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), this.options.embedDeadlineMs);
    });
    const embedding = embedAll(this.embedder, [text], { workspaceId }).then(
      ([vector]) => vector ?? null,
      (error: unknown) => {
        this.#log.warn(`A query is answered by words alone: ${String(error)}`);
        return null;
      },
    );
    try {
      return await Promise.race([embedding, deadline]);
    } finally {
      clearTimeout(timer);
    }
  }

  #candidates(workspaceId: string, query: string, vector: Float32Array | null): Promise<Candidate[]> {
    const { keywordReach, keywordHits, vectorHits } = this.options;
    const embedder = this.embedder.id;
    const near =
      vector &&
      this.indexes.current.candidates({ workspaceId, embedder }, vector, {
        firstParameter: FIRST_VECTOR_PARAMETER,
        limit: vectorHits,
      });
    const { sql, parameters } = searchStatement(
      { workspaceId, query, keywordReach, keywordHits, embedder: vector && embedder },
      near ?? undefined,
    );
    return this.transactions.manager.query<Candidate[]>(sql, parameters);
  }

  /** Apart from the search: of some hundred candidates only the best are shown. */
  async #contents(workspaceId: string, ranked: readonly RankedMemory[]): Promise<Map<string, ShownContent>> {
    if (ranked.length === 0) return new Map();
    const rows = await this.transactions.manager.query<({ id: string } & ShownContent)[]>(
      `SELECT m.id, m.content, ARRAY(SELECT o.id FROM memories o WHERE o.summarised_by = m.id ORDER BY o.id) AS sources
         FROM memories m WHERE m.workspace_id = $1 AND m.id = ANY ($2)`,
      [workspaceId, ranked.map((it) => it.candidate.id)],
    );
    return new Map(rows.map(({ id, ...shown }) => [id, shown]));
  }
}

function parseQuery(raw: string, limit: number): string {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_MEMORY_HITS) {
    throw new InvalidMemoryQueryError(`the limit is a whole number from 1 to ${MAX_MEMORY_HITS}`);
  }
  const query = raw
    .toWellFormed()
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  if (query === '') throw new InvalidMemoryQueryError('it is empty');
  if (query.length > MAX_MEMORY_QUERY_LENGTH) {
    throw new InvalidMemoryQueryError(`it has more than ${MAX_MEMORY_QUERY_LENGTH} characters`);
  }
  return query;
}

/** Learning from the order that learning has made would make the popular more popular. */
function byRelevance(ranked: readonly RankedMemory[]): string[] {
  return ranked
    .toSorted((a, b) => b.explanation.relevance - a.explanation.relevance)
    .map((it) => it.candidate.id);
}

/** None for what was deleted between the two statements. */
function toHit({ candidate, explanation }: RankedMemory, contents: Map<string, ShownContent>): MemoryHit[] {
  const shown = contents.get(candidate.id);
  if (!shown) return [];
  const { id, kind, tier, createdAt } = candidate;
  return [{ id, kind, ...shown, tier, createdAt, explanation }];
}
