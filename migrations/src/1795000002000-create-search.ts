import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The searchable text of each file: name before path before content. */
export class CreateSearch1795000002000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Lets one GIN index hold the workspace beside the words.
    await queryRunner.query('CREATE EXTENSION IF NOT EXISTS btree_gin');
    await queryRunner.query(`
      CREATE TABLE file_documents (
        file_id uuid PRIMARY KEY REFERENCES files ON DELETE CASCADE,
        workspace_id uuid NOT NULL,
        name text NOT NULL,
        path text NOT NULL,
        body text NOT NULL,
        search tsvector NOT NULL GENERATED ALWAYS AS (
          setweight(to_tsvector('english', regexp_replace(name, '[^[:alnum:]]+', ' ', 'g')), 'A') ||
          setweight(to_tsvector('english', regexp_replace(path, '[^[:alnum:]]+', ' ', 'g')), 'B') ||
          setweight(to_tsvector('english', body), 'C')
        ) STORED
      )`);
    await queryRunner.query(
      'CREATE INDEX file_documents_workspace_id_search_idx ON file_documents USING gin (workspace_id, search)',
    );
  }

  /** Leaves the extension: another schema of the database may use it. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE file_documents');
  }
}
