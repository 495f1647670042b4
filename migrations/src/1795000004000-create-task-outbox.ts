import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Tasks of committed transactions that have not been brought to Redis yet; see `TASK_OUTBOX_SQL` of the task queue. */
export class CreateTaskOutbox1795000004000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE task_outbox (
        id uuid PRIMARY KEY,
        position bigint GENERATED ALWAYS AS IDENTITY,
        queue text NOT NULL,
        task text NOT NULL,
        task_id text NOT NULL,
        payload text NOT NULL,
        schema_version integer NOT NULL,
        priority text NOT NULL,
        delay_ms bigint NOT NULL,
        dedupe_key text,
        submitted_at timestamptz(3) NOT NULL,
        not_before timestamptz NOT NULL DEFAULT '-infinity',
        error text
      )`);
    await queryRunner.query(
      'CREATE UNIQUE INDEX task_outbox_queue_position_idx ON task_outbox (queue, position)',
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE task_outbox');
  }
}
