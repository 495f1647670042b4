import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Rollouts that operators have changed while the platform runs; they stand before those of the environment. */
export class CreateFeatureOverrides1795000003000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // The scope '' is the whole feature. Every process reads the table every few seconds, so it has to stay small.
    await queryRunner.query(`
      CREATE TABLE feature_overrides (
        flag text NOT NULL CHECK (flag <> '' AND length(flag) <= 64),
        scope text NOT NULL CHECK (length(scope) <= 64),
        percent numeric(5, 2) NOT NULL CHECK (percent BETWEEN 0 AND 100),
        updated_at timestamptz(3) NOT NULL DEFAULT now(),
        PRIMARY KEY (flag, scope)
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE feature_overrides');
  }
}
