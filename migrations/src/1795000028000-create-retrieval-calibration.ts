import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What queries, answered again exactly, would have needed to keep their floor: the certainty of each embedding model is computed from it. */
export class CreateRetrievalCalibration1795000028000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE TABLE retrieval_calibration (
         embedder text NOT NULL,
         id bigint GENERATED ALWAYS AS IDENTITY,
         needed_z float8 NOT NULL CHECK (needed_z >= 0),
         floor float8 NOT NULL,
         k integer NOT NULL,
         source text NOT NULL CHECK (source IN ('query', 'chunk')),
         raised_to float8,
         at timestamptz(3) NOT NULL DEFAULT now(),
         PRIMARY KEY (embedder, id)
       )`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE retrieval_calibration');
    // Made where pgvector is; refers to tables that are dropped next.
    await queryRunner.query('DROP TABLE IF EXISTS retrieval_hnsw');
  }
}
