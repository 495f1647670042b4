import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** In the order in which they refer to each other. */
const TABLES = [
  'retrieval_chunks',
  'retrieval_vectors',
  'retrieval_codes',
  'retrieval_edges',
  'retrieval_degrees',
  'retrieval_versions',
];

/**
 * Passages of files, and the graph between them. What is scanned (codes), compared exactly (vectors) and shown (chunks) are apart, so that
 * each row that a query reads is small. All of it follows the file that it was made from.
 */
export class CreateRetrieval1795000025000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [...STATEMENTS, ...INDEXES]) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of TABLES.toReversed()) await queryRunner.query(`DROP TABLE ${table}`);
  }
}

const STATEMENTS = [
  `CREATE TABLE retrieval_chunks (
     id uuid PRIMARY KEY,
     workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
     document_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
     place integer NOT NULL CHECK (place >= 0),
     type text NOT NULL,
     text text NOT NULL,
     search tsvector NOT NULL,
     word_count integer NOT NULL,
     created_at timestamptz(3) NOT NULL,
     UNIQUE (document_id, place)
   )`,
  `CREATE TABLE retrieval_vectors (
     chunk_id uuid PRIMARY KEY REFERENCES retrieval_chunks ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     embedder text NOT NULL,
     dimensions integer NOT NULL,
     embedding bytea NOT NULL CHECK (octet_length(embedding) = 4 * dimensions)
   )`,
  // Everything that decides whether an embedding is looked at.
  `CREATE TABLE retrieval_codes (
     chunk_id uuid PRIMARY KEY REFERENCES retrieval_chunks ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     embedder text NOT NULL,
     document_id uuid NOT NULL,
     type text NOT NULL,
     created_at timestamptz(3) NOT NULL,
     code bit(384) NOT NULL
   )`,
  // Each link has a row from either side.
  `CREATE TABLE retrieval_edges (
     source_id uuid NOT NULL REFERENCES retrieval_chunks ON DELETE CASCADE,
     target_id uuid NOT NULL REFERENCES retrieval_chunks ON DELETE CASCADE,
     type text NOT NULL,
     workspace_id uuid NOT NULL,
     weight real NOT NULL CHECK (weight > 0 AND weight <= 1),
     PRIMARY KEY (source_id, target_id, type),
     CHECK (source_id <> target_id)
   )`,
  // How many chunks two hops reach, by the degrees of some neighbours: said before a walk of a hub is begun.
  `CREATE TABLE retrieval_degrees (
     chunk_id uuid PRIMARY KEY REFERENCES retrieval_chunks ON DELETE CASCADE,
     degree integer NOT NULL,
     two_hop_size integer NOT NULL
   ) WITH (fillfactor = 80)`,
  // Raised in the transaction of every write: what a process keeps of a workspace is good for one version.
  `CREATE TABLE retrieval_versions (
     workspace_id uuid PRIMARY KEY REFERENCES workspaces ON DELETE CASCADE,
     version bigint NOT NULL
   ) WITH (fillfactor = 80)`,
];

const INDEXES = [
  'CREATE INDEX retrieval_chunks_workspace_id_search_idx ON retrieval_chunks USING gin (workspace_id, search)',
  `CREATE INDEX retrieval_codes_workspace_id_embedder_idx
     ON retrieval_codes (workspace_id, embedder) INCLUDE (chunk_id, code)`,
  `CREATE INDEX retrieval_codes_workspace_id_type_created_at_idx
     ON retrieval_codes (workspace_id, type, created_at)`,
  `CREATE INDEX retrieval_codes_workspace_id_document_id_idx ON retrieval_codes (workspace_id, document_id)`,
  'CREATE INDEX retrieval_edges_source_id_weight_idx ON retrieval_edges (source_id, weight DESC, target_id)',
  'CREATE INDEX retrieval_edges_target_id_idx ON retrieval_edges (target_id)',
];
