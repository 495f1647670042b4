import {
  installAdaptiveIndexing,
  installIndexLedger,
  removeAdaptiveIndexing,
  removeIndexLedger,
} from '@peregrine/query-optimizer';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What was recommended, built and measured is known to every process, and outlives them. */
export class KeepIndexAdvice1795000010000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Made by "npm run optimizer" before, it stays as it is.
    for (const sql of [...installIndexLedger(), ...installAdaptiveIndexing()]) await queryRunner.query(sql);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const sql of [...removeAdaptiveIndexing(), ...removeIndexLedger()]) await queryRunner.query(sql);
  }
}
