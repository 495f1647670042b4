import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** The processes that run, each with a row that it writes every few seconds: who is there, how they are, and who is gone. */
export class CreateServiceProcesses1795000017000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Room in each page for the next version of its rows, which no index has to know of.
    await queryRunner.query(`
      CREATE TABLE service_processes (
        id uuid PRIMARY KEY,
        role text NOT NULL CHECK (role IN ('api', 'worker')),
        host text NOT NULL CHECK (length(host) <= 255),
        pid integer NOT NULL,
        started_at timestamptz(3) NOT NULL,
        seen_at timestamptz(3) NOT NULL,
        figures jsonb NOT NULL
      ) WITH (fillfactor = 50)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE service_processes');
  }
}
