import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Mirrors of folders and buckets: the runs, and what the two sides of each had in common after the last one. */
export class CreateStorageSyncs1795000015000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE storage_sync_pairs (
        id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        source text NOT NULL CHECK (length(source) <= 2048),
        UNIQUE (workspace_id, source)
      )`);
    await queryRunner.query(`
      CREATE TABLE storage_sync_entries (
        pair_id uuid NOT NULL REFERENCES storage_sync_pairs (id) ON DELETE CASCADE,
        path text COLLATE "C" NOT NULL,
        version text NOT NULL,
        sha256 text NOT NULL,
        is_settled boolean NOT NULL,
        PRIMARY KEY (pair_id, path)
      )`);
    // The pair is no foreign key: it goes with its workspace, as the row does.
    await queryRunner.query(`
      CREATE TABLE storage_syncs (
        id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
        pair_id uuid NOT NULL,
        source text NOT NULL,
        direction text NOT NULL CHECK (direction IN ('import', 'export')),
        dry_run boolean NOT NULL,
        deletes boolean NOT NULL,
        overwrites boolean NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'completed', 'failed', 'cancelled')),
        fence bigint NOT NULL DEFAULT 0,
        expected integer,
        counts jsonb NOT NULL DEFAULT
          '{"seen":0,"copied":0,"copiedBytes":0,"deleted":0,"equal":0,"extra":0,"conflicts":0,"skipped":0}',
        problems jsonb NOT NULL DEFAULT '[]',
        error text,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        started_at timestamptz(3),
        ended_at timestamptz(3),
        CHECK ((ended_at IS NULL) = (state IN ('waiting', 'running')))
      )`);
    await queryRunner.query(
      `CREATE INDEX storage_syncs_workspace_id_id_idx ON storage_syncs (workspace_id, id)`,
    );
    // One at a time for a pair.
    await queryRunner.query(
      `CREATE UNIQUE INDEX storage_syncs_open_idx ON storage_syncs (pair_id) WHERE ended_at IS NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE storage_syncs, storage_sync_entries, storage_sync_pairs');
  }
}
