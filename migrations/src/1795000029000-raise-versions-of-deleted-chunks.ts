import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * Chunks that go with their file raise the version of their workspace, as every other write does: what a process keeps of it, codes
 * and walks, is out of date then. Only `UPDATE`: a workspace that goes has no version to come.
 */
export class RaiseVersionsOfDeletedChunks1795000029000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE FUNCTION raise_retrieval_versions() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         UPDATE retrieval_versions v SET version = v.version + 1
           FROM (SELECT DISTINCT workspace_id FROM gone ORDER BY 1) g WHERE v.workspace_id = g.workspace_id;
         RETURN NULL;
       END $$`,
    );
    await queryRunner.query(
      `CREATE TRIGGER retrieval_chunks_raise_versions AFTER DELETE ON retrieval_chunks
         REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION raise_retrieval_versions()`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER retrieval_chunks_raise_versions ON retrieval_chunks');
    await queryRunner.query('DROP FUNCTION raise_retrieval_versions()');
  }
}
