import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Who has asked for which change of the running platform, when, and what came of it. Rows are added and never changed. */
export class CreateAuditEvents1795000012000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // The actor is no foreign key: what somebody has done outlives their key. One index is enough for what people do by hand.
    await queryRunner.query(`
      CREATE TABLE audit_events (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        occurred_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        actor_id uuid NOT NULL,
        actor_name text NOT NULL CHECK (length(actor_name) <= 200),
        action text NOT NULL CHECK (length(action) <= 100),
        subject text NOT NULL CHECK (length(subject) <= 200),
        event text NOT NULL CHECK (event IN ('requested', 'succeeded', 'failed')),
        task text NOT NULL CHECK (length(task) <= 100),
        task_id text NOT NULL CHECK (length(task_id) <= 200),
        detail text
      )`);
    await queryRunner.query(`
      CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION 'Audit events are only added' USING ERRCODE = 'integrity_constraint_violation';
      END $$`);
    await queryRunner.query(`
      CREATE TRIGGER audit_events_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE audit_events');
    await queryRunner.query('DROP FUNCTION refuse_change_of_audit()');
  }
}
