import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Purges of CDNs: what is pending, and what became of the others. */
export class CreateCdnInvalidations1795000007000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE cdn_invalidations (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        position bigint GENERATED ALWAYS AS IDENTITY,
        provider text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('path', 'wildcard', 'tag', 'everything')),
        value text NOT NULL,
        soft boolean NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'done', 'failed')),
        requests integer NOT NULL DEFAULT 1,
        attempts integer NOT NULL DEFAULT 0,
        alone boolean NOT NULL DEFAULT false,
        requested_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
        not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz(3),
        sent_as text,
        verified boolean,
        error text,
        CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'failed')))
      )`);
    // A target is pending once. Who asks again locks the row, so it is not sent before their transaction has ended.
    await queryRunner.query(`
      CREATE UNIQUE INDEX cdn_invalidations_pending_idx ON cdn_invalidations (provider, kind, value, soft)
       WHERE state = 'pending'`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX cdn_invalidations_open_idx ON cdn_invalidations (provider, position)
       WHERE ended_at IS NULL`);
    await queryRunner.query(`
      CREATE UNIQUE INDEX cdn_invalidations_ended_idx ON cdn_invalidations (ended_at, position)
       WHERE ended_at IS NOT NULL`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE cdn_invalidations');
  }
}
