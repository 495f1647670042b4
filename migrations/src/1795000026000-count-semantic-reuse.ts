import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Replies that answer another question than theirs are counted apart from hits. The table is small: a row a day, kind, model and way. */
export class CountSemanticReuse1795000026000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE ai_usage DROP CONSTRAINT ai_usage_outcome_check');
    await queryRunner.query(
      `ALTER TABLE ai_usage ADD CONSTRAINT ai_usage_outcome_check
         CHECK (outcome IN ('paid', 'hit', 'coalesced', 'semantic'))`,
    );
  }

  /** The older program knows them as hits. */
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      WITH semantic AS (DELETE FROM ai_usage WHERE outcome = 'semantic' RETURNING *)
      INSERT INTO ai_usage AS u
      SELECT day, kind, model, 'hit', results, prompt_tokens, cached_prompt_tokens, completion_tokens, suspects FROM semantic
      ON CONFLICT (day, kind, model, outcome) DO UPDATE SET
        results = u.results + excluded.results,
        prompt_tokens = u.prompt_tokens + excluded.prompt_tokens,
        cached_prompt_tokens = u.cached_prompt_tokens + excluded.cached_prompt_tokens,
        completion_tokens = u.completion_tokens + excluded.completion_tokens,
        suspects = u.suspects + excluded.suspects`);
    await queryRunner.query('ALTER TABLE ai_usage DROP CONSTRAINT ai_usage_outcome_check');
    await queryRunner.query(
      `ALTER TABLE ai_usage ADD CONSTRAINT ai_usage_outcome_check CHECK (outcome IN ('paid', 'hit', 'coalesced'))`,
    );
  }
}
