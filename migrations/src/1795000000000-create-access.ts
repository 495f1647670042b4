import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** API keys, kept only as hashes, and the workspaces that each may see. */
export class CreateAccess1795000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE workspaces (
        id uuid PRIMARY KEY,
        name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        updated_at timestamptz(3) NOT NULL DEFAULT now()
      )`);
    await queryRunner.query('CREATE INDEX workspaces_created_at_id_idx ON workspaces (created_at, id)');
    await queryRunner.query(`
      CREATE TABLE api_keys (
        id uuid PRIMARY KEY,
        name text NOT NULL CHECK (name <> '' AND length(name) <= 200),
        key_hash bytea NOT NULL UNIQUE,
        scopes text[] NOT NULL,
        created_at timestamptz(3) NOT NULL DEFAULT now(),
        expires_at timestamptz(3),
        revoked_at timestamptz(3)
      )`);
    await queryRunner.query('CREATE INDEX api_keys_created_at_id_idx ON api_keys (created_at, id)');
    await queryRunner.query(`
      CREATE TABLE api_key_workspaces (
        api_key_id uuid NOT NULL REFERENCES api_keys ON DELETE CASCADE,
        workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
        PRIMARY KEY (api_key_id, workspace_id)
      )`);
    await queryRunner.query(
      'CREATE INDEX api_key_workspaces_workspace_id_idx ON api_key_workspaces (workspace_id)',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE api_key_workspaces');
    await queryRunner.query('DROP TABLE api_keys');
    await queryRunner.query('DROP TABLE workspaces');
  }
}
