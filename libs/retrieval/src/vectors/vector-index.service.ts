import { Inject, Injectable } from '@nestjs/common';
import { vectorOf } from '@peregrine/ai/vectors';
import { Transactions } from '@peregrine/database';
import { type CodeSpace } from '../codes/code-source.js';
import { VectorIndexMissingError } from '../retrieval.errors.js';
import { type ChunkFilter, filterCondition } from '../search/chunk-filter.js';
import { type Statements } from '../statements.js';
import { type Embedder, RETRIEVAL_EMBEDDER } from './embedder.js';

/** Rows that are copied at a time. */
const BATCH = 500;

export interface IndexedQuestion {
  readonly space: CodeSpace;
  readonly vector: Float32Array;
  readonly filter: ChunkFilter;
  /** How many of the nearest of all are looked at; fewer pass. */
  readonly count: number;
}

/**
 * An HNSW index of pgvector beside the codes, where somebody has made one with {@link create}. Nothing rests on it: what it does not hold,
 * or does not find, is found by the codes.
 */
@Injectable()
export class VectorIndex {
  #isThere: Promise<boolean> | undefined;

  constructor(
    private readonly transactions: Transactions,
    @Inject(RETRIEVAL_EMBEDDER) private readonly embedder: Embedder,
  ) {}

  /** Whether there is one for vectors of this length. Asked of PostgreSQL once, and again after {@link create}. */
  isThere(): Promise<boolean> {
    this.#isThere ??= this.#look();
    // A statement that failed is asked again.
    this.#isThere.catch(() => (this.#isThere = undefined));
    return this.#isThere;
  }

  /**
   * Makes the extension, the table and the index, and copies the vectors that there are. Can be done again. Needs the right to change the
   * schema, time, and no statement timeout; processes that had looked before add new vectors only after a restart.
   *
   * @throws {VectorIndexMissingError} when the server has no pgvector
   */
  async create(): Promise<void> {
    const { manager } = this.transactions;
    const [available] = await manager.query<unknown[]>(
      `SELECT 1 FROM pg_available_extensions WHERE name = 'vector'`,
    );
    if (!available) throw new VectorIndexMissingError();
    for (const sql of this.#tableStatements) await manager.query(sql);
    for (let last: string | null = null; ;) {
      const ids: string[] = await this.#copy(last);
      last = ids.at(-1) ?? null;
      if (ids.length < BATCH) break;
    }
    await this.#dropUnfinished();
    for (const sql of [this.#functionStatement, this.#indexStatement]) await manager.query(sql);
    this.#isThere = Promise.resolve(true);
  }

  /** Adds new chunks in the current transaction; nothing where there is no index. */
  async add(
    workspaceId: string,
    chunkIds: readonly string[],
    vectors: readonly Float32Array[],
  ): Promise<void> {
    if (chunkIds.length === 0 || !(await this.isThere())) return;
    await this.transactions.manager.query(
      `INSERT INTO retrieval_hnsw (chunk_id, workspace_id, embedder, embedding)
       SELECT id, $1, $2, embedding::vector FROM unnest($3::uuid[], $4::text[]) AS t (id, embedding)
       ON CONFLICT (chunk_id) DO NOTHING`,
      [workspaceId, this.embedder.id, chunkIds, vectors.map(literalOf)],
    );
  }

  /**
   * Near chunks that pass, by the index: not all of the nearest, and not in their order.
   *
   * @throws {VectorIndexMissingError}
   */
  async nearest(
    statements: Statements,
    { space, vector, filter, count }: IndexedQuestion,
  ): Promise<string[]> {
    if (!(await this.isThere())) throw new VectorIndexMissingError();
    const condition = filterCondition(filter, 5);
    const rows = await statements.query<{ id: string }[]>(
      `SELECT n.chunk_id AS id FROM ${this.#function}($1, $2, $3::text::vector, $4) n
         JOIN retrieval_codes c ON c.chunk_id = n.chunk_id AND c.workspace_id = $1 AND c.embedder = $2${condition.sql}`,
      [space.workspaceId, space.embedder, literalOf(vector), count, ...condition.parameters],
    );
    return rows.map((it) => it.id);
  }

  get #function(): string {
    return `nearest_retrieval_chunks_${this.embedder.dimensions}`;
  }

  get #index(): string {
    return `retrieval_hnsw_${this.embedder.dimensions}_idx`;
  }

  async #look(): Promise<boolean> {
    const rows = await this.transactions.manager.query<unknown[]>(
      'SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid',
      [this.#index],
    );
    return rows.length > 0;
  }

  /** The chunks of the next vectors by id; they stay there until their copy is. */
  #copy(last: string | null): Promise<string[]> {
    return this.transactions.run(async (manager) => {
      const rows = await manager.query<{ id: string; workspaceId: string; embedding: Buffer }[]>(
        `SELECT v.chunk_id AS id, v.workspace_id AS "workspaceId", v.embedding
           FROM retrieval_vectors v JOIN retrieval_chunks k ON k.id = v.chunk_id
          WHERE v.embedder = $1 AND ($2::uuid IS NULL OR v.chunk_id > $2)
          ORDER BY v.chunk_id LIMIT ${BATCH} FOR KEY SHARE OF k`,
        [this.embedder.id, last],
      );
      await manager.query(
        `INSERT INTO retrieval_hnsw (chunk_id, workspace_id, embedder, embedding)
         SELECT id, workspace, $1, embedding::vector FROM unnest($2::uuid[], $3::uuid[], $4::text[]) AS t (id, workspace, embedding)
         ON CONFLICT (chunk_id) DO NOTHING`,
        [
          this.embedder.id,
          rows.map((it) => it.id),
          rows.map((it) => it.workspaceId),
          rows.map((it) => literalOf(vectorOf(it.embedding))),
        ],
      );
      return rows.map((it) => it.id);
    });
  }

  /** Of an attempt that was interrupted. */
  async #dropUnfinished(): Promise<void> {
    const { manager } = this.transactions;
    const [unfinished] = await manager.query<unknown[]>(
      'SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid',
      [this.#index],
    );
    if (unfinished) await manager.query(`DROP INDEX CONCURRENTLY ${this.#index}`);
  }

  get #tableStatements(): string[] {
    return [
      'CREATE EXTENSION IF NOT EXISTS vector',
      `CREATE TABLE IF NOT EXISTS retrieval_hnsw (
         chunk_id uuid PRIMARY KEY REFERENCES retrieval_chunks ON DELETE CASCADE,
         workspace_id uuid NOT NULL,
         embedder text NOT NULL,
         embedding vector NOT NULL
       )`,
    ];
  }

  get #indexStatement(): string {
    return `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${this.#index} ON retrieval_hnsw
      USING hnsw ((embedding::${this.#type}) vector_cosine_ops) WHERE ${this.#isOfLength}`;
  }

  /** The settings stand with the function: a workspace is a filter, and without iterative scans a filter loses hits. */
  get #functionStatement(): string {
    return `CREATE OR REPLACE FUNCTION ${this.#function}(of_workspace uuid, by_embedder text, probe vector, wanted integer)
      RETURNS TABLE (chunk_id uuid) LANGUAGE sql STABLE
      SET hnsw.iterative_scan = 'strict_order' SET hnsw.ef_search = 200
      AS $$
        SELECT h.chunk_id FROM retrieval_hnsw h
         WHERE ${this.#isOfLength} AND h.workspace_id = of_workspace AND h.embedder = by_embedder
         ORDER BY h.embedding::${this.#type} <=> probe::${this.#type} LIMIT wanted
      $$`;
  }

  get #type(): string {
    return `vector(${this.embedder.dimensions})`;
  }

  get #isOfLength(): string {
    return `vector_dims(embedding) = ${this.embedder.dimensions}`;
  }
}

/** As pgvector reads it. */
function literalOf(vector: Float32Array): string {
  return `[${vector.join(',')}]`;
}
