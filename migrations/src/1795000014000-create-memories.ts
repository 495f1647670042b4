import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** In the order in which they refer to each other. */
const TABLES = [
  'memories',
  'memory_words',
  'memory_vectors',
  'memory_codes',
  'memory_states',
  'memory_associations',
  'memory_pending_embeddings',
  'memory_totals',
  'memory_term_totals',
  'memory_term_changes',
];

/**
 * Memories of agents. What changes often, what is scanned and what is shown are apart, so that each is small: the words
 * for BM25, the sign codes for nearest neighbours, the state of use, and the content itself.
 */
export class CreateMemories1795000014000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [...STATEMENTS, ...INDEXES]) await queryRunner.query(sql);
    if (await hasPgvector(queryRunner)) for (const sql of PGVECTOR) await queryRunner.query(sql);
  }

  /** Leaves the extensions: another schema of the database may use them. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION IF EXISTS nearest_memories');
    for (const table of TABLES.toReversed()) await queryRunner.query(`DROP TABLE ${table}`);
  }
}

const STATEMENTS = [
  // A summary repeats the words of its sources, so that only originals are unique. Its time is its oldest source's.
  `CREATE TABLE memories (
     id uuid PRIMARY KEY,
     workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
     kind text NOT NULL CHECK (kind IN ('original', 'summary')),
     content text NOT NULL,
     content_hash bytea NOT NULL CHECK (octet_length(content_hash) = 32),
     summarised_by uuid REFERENCES memories ON DELETE SET NULL,
     kept_apart boolean NOT NULL DEFAULT false,
     created_at timestamptz(3) NOT NULL DEFAULT now(),
     CHECK (kind = 'original' OR summarised_by IS NULL)
   )`,
  // What a query can find: an original that a summary stands for has no row here and none in memory_codes.
  `CREATE TABLE memory_words (
     memory_id uuid PRIMARY KEY REFERENCES memories ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     search tsvector NOT NULL,
     word_count integer NOT NULL
   )`,
  `CREATE TABLE memory_vectors (
     memory_id uuid PRIMARY KEY REFERENCES memories ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     embedder text NOT NULL,
     dimensions integer NOT NULL,
     embedding bytea NOT NULL CHECK (octet_length(embedding) = 4 * dimensions)
   )`,
  `CREATE TABLE memory_codes (
     memory_id uuid PRIMARY KEY REFERENCES memories ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     embedder text NOT NULL,
     code bit(384) NOT NULL
   )`,
  // Room in every page, so that a use does not move the row.
  `CREATE TABLE memory_states (
     memory_id uuid PRIMARY KEY REFERENCES memories ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     tier text NOT NULL CHECK (tier IN ('active', 'thread', 'stable')),
     uses integer NOT NULL,
     first_used_at timestamptz(3) NOT NULL,
     last_used_at timestamptz(3) NOT NULL,
     recent_uses timestamptz(3)[] NOT NULL,
     accesses integer NOT NULL DEFAULT 0,
     accessed_at timestamptz(3)
   ) WITH (fillfactor = 80)`,
  // A pair of memories that answered together, the smaller id first.
  `CREATE TABLE memory_associations (
     first_id uuid NOT NULL REFERENCES memories ON DELETE CASCADE,
     second_id uuid NOT NULL REFERENCES memories ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     times integer NOT NULL,
     last_at timestamptz(3) NOT NULL,
     PRIMARY KEY (first_id, second_id),
     CHECK (first_id < second_id)
   ) WITH (fillfactor = 80)`,
  // Written in the statement that adds the memory: a task that is lost leaves its row behind.
  `CREATE TABLE memory_pending_embeddings (
     memory_id uuid PRIMARY KEY REFERENCES memories ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     since timestamptz(3) NOT NULL DEFAULT now()
   )`,
  `CREATE TABLE memory_totals (
     workspace_id uuid PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
     memories integer NOT NULL DEFAULT 0,
     words bigint NOT NULL DEFAULT 0,
     answers bigint NOT NULL DEFAULT 0
   )`,
  `CREATE TABLE memory_term_totals (
     workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
     lexeme text COLLATE "C" NOT NULL,
     memories integer NOT NULL,
     PRIMARY KEY (workspace_id, lexeme)
   )`,
  // What came and went since the totals were made: counted some hundreds at a time, not row by row.
  `CREATE TABLE memory_term_changes (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
     search tsvector NOT NULL,
     word_count integer NOT NULL,
     sign smallint NOT NULL CHECK (sign IN (-1, 1))
   )`,
];

const INDEXES = [
  `CREATE UNIQUE INDEX memories_workspace_id_content_hash_idx ON memories (workspace_id, content_hash)
    WHERE kind = 'original'`,
  'CREATE INDEX memories_workspace_id_created_at_id_idx ON memories (workspace_id, created_at, id)',
  `CREATE INDEX memories_summarised_by_idx ON memories (summarised_by) WHERE summarised_by IS NOT NULL`,
  'CREATE INDEX memory_words_workspace_id_search_idx ON memory_words USING gin (workspace_id, search)',
  'CREATE INDEX memory_codes_workspace_id_embedder_idx ON memory_codes (workspace_id, embedder) INCLUDE (memory_id, code)',
  `CREATE INDEX memory_states_workspace_id_tier_last_used_at_idx
     ON memory_states (workspace_id, tier, last_used_at DESC, memory_id)`,
  `CREATE INDEX memories_summaries_workspace_id_idx ON memories (workspace_id) WHERE kind = 'summary'`,
  `CREATE INDEX memory_states_disused_idx ON memory_states (tier, last_used_at) WHERE tier <> 'active'`,
  'CREATE INDEX memory_associations_once_idx ON memory_associations (last_at) WHERE times = 1',
  'CREATE INDEX memory_associations_second_id_idx ON memory_associations (second_id)',
  'CREATE INDEX memory_pending_embeddings_since_idx ON memory_pending_embeddings (since)',
  'CREATE INDEX memory_term_changes_workspace_id_id_idx ON memory_term_changes (workspace_id, id)',
];

async function hasPgvector(queryRunner: QueryRunner): Promise<boolean> {
  const rows = (await queryRunner.query(
    `SELECT 1 FROM pg_available_extensions WHERE name = 'vector'`,
  )) as unknown[];
  return rows.length > 0;
}

/** 384 dimensions as the local embedder has them; vectors of another length are found without the index. */
const PGVECTOR = [
  'CREATE EXTENSION IF NOT EXISTS vector',
  'ALTER TABLE memory_codes ADD COLUMN vector vector',
  `CREATE INDEX memory_codes_vector_idx ON memory_codes
    USING hnsw ((vector::vector(384)) vector_cosine_ops) WHERE vector_dims(vector) = 384`,
  // The settings stand with the function: a workspace is a filter, and without iterative scans a filter loses hits.
  `CREATE FUNCTION nearest_memories(of_workspace uuid, by_embedder text, probe vector, wanted integer)
   RETURNS TABLE (memory_id uuid, distance float8) LANGUAGE sql STABLE
   SET hnsw.iterative_scan = 'strict_order' SET hnsw.ef_search = 200
   AS $$
     SELECT c.memory_id, c.vector::vector(384) <=> probe::vector(384)
       FROM memory_codes c
      WHERE vector_dims(c.vector) = 384 AND c.workspace_id = of_workspace AND c.embedder = by_embedder
      ORDER BY c.vector::vector(384) <=> probe::vector(384) LIMIT wanted
   $$`,
];
