import { installSlowQueryHistory } from '@peregrine/query-optimizer';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Plans are kept with what each of their nodes costs. */
export class KeepPlanCosts1795000018000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of installSlowQueryHistory()) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE peregrine_query_plans DROP COLUMN node_costs');
  }
}
