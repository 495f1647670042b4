import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Files and where their bytes are. One content is stored once (`storage_resources`, addressed by its
 * SHA-256) and shared by any number of files (`file_storages`).
 */
export class CreateContent1795000001000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE storage_resources (
        id uuid PRIMARY KEY,
        sha256 text NOT NULL UNIQUE CHECK (sha256 ~ '^[0-9a-f]{64}$'),
        driver text NOT NULL,
        object_key uuid NOT NULL,
        size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
        created_at timestamptz(3) NOT NULL DEFAULT now()
      )`);
    // The orphan sweep asks which of the objects that a driver lists are known.
    await queryRunner.query(
      'CREATE UNIQUE INDEX storage_resources_object_key_idx ON storage_resources (object_key)',
    );
    // Byte order ("C") makes a path prefix a range of the index and the list's order the same everywhere.
    // 1,024 bytes keep an entry well under the 2,704 that a B-tree takes.
    await queryRunner.query(`
      CREATE TABLE files (
        id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
        path text COLLATE "C" NOT NULL CHECK (path <> '' AND octet_length(path) <= 1024),
        name text NOT NULL,
        media_type text NOT NULL,
        size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
        sha256 text NOT NULL,
        status text NOT NULL CHECK (status IN ('pending', 'extracted', 'skipped', 'failed')),
        status_detail text,
        revision integer NOT NULL DEFAULT 1,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        UNIQUE (workspace_id, path)
      )`);
    await queryRunner.query(
      "CREATE INDEX files_pending_updated_at_idx ON files (updated_at) WHERE status = 'pending'",
    );
    await queryRunner.query(`
      CREATE TABLE file_storages (
        file_id uuid NOT NULL REFERENCES files ON DELETE CASCADE,
        storage_resource_id uuid NOT NULL REFERENCES storage_resources ON DELETE RESTRICT,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (file_id, storage_resource_id)
      )`);
    await queryRunner.query(
      'CREATE INDEX file_storages_storage_resource_id_idx ON file_storages (storage_resource_id)',
    );
    await queryRunner.query(`
      CREATE TABLE storage_objects (
        key uuid PRIMARY KEY,
        data bytea NOT NULL,
        size_bytes integer NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now()
      )`);
    // Most small files are text that is served as it is: no time for compression on the way.
    await queryRunner.query('ALTER TABLE storage_objects ALTER COLUMN data SET STORAGE EXTERNAL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const table of ['storage_objects', 'file_storages', 'files', 'storage_resources']) {
      await queryRunner.query(`DROP TABLE ${table}`);
    }
  }
}
