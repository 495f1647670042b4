import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Where a task of the outbox was submitted, so that its attempts are in the same trace; null where nothing is traced. */
export class KeepTracesOfOutboxTasks1795000024000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // A process of the new version may have been there first.
    await queryRunner.query('ALTER TABLE task_outbox ADD COLUMN IF NOT EXISTS trace text');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE task_outbox DROP COLUMN trace');
  }
}
