import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** How far an import has come is asked every second or so: from the index alone, not from every file of the workspace. */
export class IndexFileStatus1795000009000 implements MigrationInterface {
  /** The files of a running deployment stay writable meanwhile. */
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    // What a build that was cut off has left.
    await this.down(queryRunner);
    await queryRunner.query(
      'CREATE INDEX CONCURRENTLY files_workspace_id_status_idx ON files (workspace_id, status) INCLUDE (size_bytes)',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX CONCURRENTLY IF EXISTS files_workspace_id_status_idx');
  }
}
