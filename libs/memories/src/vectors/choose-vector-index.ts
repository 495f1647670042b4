import { type EntityManager } from 'typeorm';
import { VectorIndexMissingError } from '../memories.errors.js';
import { type MemoriesOptions } from '../memories.options.js';
import { PgvectorIndex } from './pgvector-index.js';
import { SignCodeIndex } from './sign-code-index.js';
import { type VectorIndex } from './vector-index.js';

/**
 * The vector index of the options; `auto` looks for the column that the migration made where pgvector was.
 *
 * @throws {VectorIndexMissingError} when pgvector is asked for and not there
 */
export async function chooseVectorIndex(
  manager: EntityManager,
  wanted: MemoriesOptions['vectorIndex'],
): Promise<VectorIndex> {
  if (wanted === 'sign-codes') return new SignCodeIndex();
  const [column] = await manager.query<unknown[]>(
    `SELECT 1 FROM pg_attribute
      WHERE attrelid = to_regclass('memory_codes') AND attname = 'vector' AND NOT attisdropped`,
  );
  if (column) return new PgvectorIndex();
  if (wanted === 'pgvector') throw new VectorIndexMissingError();
  return new SignCodeIndex();
}
