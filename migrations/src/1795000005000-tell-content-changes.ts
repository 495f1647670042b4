import { installChangeTriggers, removeChangeTriggers } from '@peregrine/query-optimizer';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What the query optimizer keeps results of: writes to them are told, whoever makes them. */
const TABLES = ['workspaces', 'api_key_workspaces', 'files', 'file_documents'].map((name) => ({
  schema: 'public',
  name,
}));

/** Lets every process hear of changes that it has not made itself. */
export class TellContentChanges1795000005000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    for (const sql of installChangeTriggers(TABLES)) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of removeChangeTriggers(TABLES)) await queryRunner.query(sql);
    await queryRunner.query('DROP FUNCTION public.peregrine_table_changed()');
  }
}
