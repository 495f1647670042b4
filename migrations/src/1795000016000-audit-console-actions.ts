import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Besides what tasks do for operators, the audit has what is done within a request, and what was refused. */
export class AuditConsoleActions1795000016000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE audit_events
        ADD COLUMN request_id text CHECK (length(request_id) <= 200),
        ALTER COLUMN task DROP NOT NULL,
        ALTER COLUMN task_id DROP NOT NULL,
        DROP CONSTRAINT audit_events_event_check,
        ADD CONSTRAINT audit_events_event_check CHECK (event IN ('requested', 'succeeded', 'failed', 'refused')),
        ADD CONSTRAINT audit_events_cause_check
          CHECK ((task IS NULL) = (task_id IS NULL) AND (task IS NOT NULL OR request_id IS NOT NULL))`);
  }

  /** What happened stays, in the words that there were before. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE audit_events DISABLE TRIGGER audit_events_only_grow');
    await queryRunner.query(`
      UPDATE audit_events SET event = CASE event WHEN 'refused' THEN 'failed' ELSE event END,
                              task = coalesce(task, 'request'), task_id = coalesce(task_id, request_id)
       WHERE event = 'refused' OR task IS NULL`);
    await queryRunner.query('ALTER TABLE audit_events ENABLE TRIGGER audit_events_only_grow');
    await queryRunner.query(`
      ALTER TABLE audit_events
        DROP CONSTRAINT audit_events_cause_check,
        DROP CONSTRAINT audit_events_event_check,
        ADD CONSTRAINT audit_events_event_check CHECK (event IN ('requested', 'succeeded', 'failed')),
        ALTER COLUMN task SET NOT NULL,
        ALTER COLUMN task_id SET NOT NULL,
        DROP COLUMN request_id`);
  }
}
