import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What AI results have used and saved by day, and the daily budget with what calls under way have reserved of it. */
export class CreateAiUsage1795000013000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE ai_usage (
        day date NOT NULL,
        kind text NOT NULL CHECK (kind IN ('analysis', 'embedding', 'model', 'chat')),
        model text NOT NULL,
        outcome text NOT NULL CHECK (outcome IN ('paid', 'hit', 'coalesced')),
        results bigint NOT NULL,
        prompt_tokens bigint NOT NULL,
        cached_prompt_tokens bigint NOT NULL,
        completion_tokens bigint NOT NULL,
        suspects bigint NOT NULL,
        PRIMARY KEY (day, kind, model, outcome)
      )`);
    await queryRunner.query(`
      CREATE TABLE ai_budget_days (
        day date PRIMARY KEY,
        reserved_nano_usd bigint NOT NULL DEFAULT 0,
        spent_nano_usd bigint NOT NULL DEFAULT 0
      )`);
    // Few at a time: as many as calls are under way. No foreign key, so that a reservation locks no other row.
    await queryRunner.query(`
      CREATE TABLE ai_budget_reservations (
        id uuid PRIMARY KEY,
        day date NOT NULL,
        nano_usd bigint NOT NULL,
        expires_at timestamptz NOT NULL
      )`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE ai_budget_reservations, ai_budget_days, ai_usage');
  }
}
