import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What the ingest of files keeps beside their passages: what was ingested of each, and what its passages refer to and name. */
export class IngestDocuments1795000027000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [...STATEMENTS, ...INDEXES]) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['retrieval_entities', 'retrieval_links', 'retrieval_documents']) {
      await queryRunner.query(`DROP TABLE ${table}`);
    }
    await queryRunner.query(placesUnique(''));
  }
}

/** Deferrable, it is checked at the end of a statement: passages that stay may all move by one place at once. */
function placesUnique(deferrable: string): string {
  return `ALTER TABLE retrieval_chunks DROP CONSTRAINT retrieval_chunks_document_id_place_key,
    ADD CONSTRAINT retrieval_chunks_document_id_place_key UNIQUE (document_id, place) ${deferrable}`;
}

const STATEMENTS = [
  placesUnique('DEFERRABLE'),
  // Of which revision the passages are, and who made them; what a link may call the document.
  `CREATE TABLE retrieval_documents (
     document_id uuid PRIMARY KEY REFERENCES files ON DELETE CASCADE,
     workspace_id uuid NOT NULL,
     revision integer NOT NULL,
     chunking integer NOT NULL,
     embedder text NOT NULL,
     names text[] COLLATE "C" NOT NULL
   )`,
  // Kept when its document is there, too: that may go and come again.
  `CREATE TABLE retrieval_links (
     chunk_id uuid NOT NULL REFERENCES retrieval_chunks ON DELETE CASCADE,
     target text COLLATE "C" NOT NULL,
     workspace_id uuid NOT NULL,
     PRIMARY KEY (chunk_id, target)
   )`,
  // One row for each document that names it: the first passage that does.
  `CREATE TABLE retrieval_entities (
     chunk_id uuid NOT NULL REFERENCES retrieval_chunks ON DELETE CASCADE,
     entity text COLLATE "C" NOT NULL,
     workspace_id uuid NOT NULL,
     PRIMARY KEY (chunk_id, entity)
   )`,
];

const INDEXES = [
  'CREATE INDEX retrieval_documents_workspace_id_names_idx ON retrieval_documents USING gin (workspace_id, names)',
  'CREATE INDEX retrieval_links_workspace_id_target_idx ON retrieval_links (workspace_id, target, chunk_id)',
  'CREATE INDEX retrieval_entities_workspace_id_entity_idx ON retrieval_entities (workspace_id, entity, chunk_id)',
];
