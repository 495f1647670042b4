import { installSlowQueryHistory, removeSlowQueryHistory } from '@peregrine/query-optimizer';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Slow statements and their plans outlive the processes that saw them. */
export class KeepSlowQueries1795000008000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of installSlowQueryHistory()) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of removeSlowQueryHistory()) await queryRunner.query(sql);
  }
}
