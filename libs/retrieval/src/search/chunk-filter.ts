import { z } from 'zod';
import { InvalidRetrievalQueryError, UnknownFilterFieldError } from '../retrieval.errors.js';

const few = <T extends z.ZodType>(value: T) => z.array(value).min(1).max(1_000);

const schema = z.strictObject({
  /** One of these types. */
  types: few(z.string().min(1).max(200)).optional(),
  /** Of one of these files. */
  documentIds: few(z.uuid()).optional(),
  /** Created at this time or later. */
  createdFrom: z.date().optional(),
  /** Created before this time. */
  createdBefore: z.date().optional(),
});

export type ChunkFilter = Readonly<z.output<typeof schema>>;

/** @throws {UnknownFilterFieldError} {@link InvalidRetrievalQueryError} */
export function parseChunkFilter(input: unknown): ChunkFilter {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((it) => (it.code === 'unrecognized_keys' ? it.keys : []));
  if (unknown.length > 0) throw new UnknownFilterFieldError(unknown, Object.keys(schema.shape));
  throw new InvalidRetrievalQueryError(`of the filter ${z.prettifyError(result.error)}`);
}

/** Whether every chunk passes. */
export function isUnfiltered(filter: ChunkFilter): boolean {
  return Object.values(filter).every((it) => it === undefined);
}

/**
 * A condition on the columns of a table named `c`, and what its `$n` stand for.
 *
 * @param firstParameter the number of the first `$n`
 */
export function filterCondition(
  { types, documentIds, createdFrom, createdBefore }: ChunkFilter,
  firstParameter: number,
): { sql: string; parameters: unknown[] } {
  const conditions: [string, unknown][] = [
    ['c.type = ANY (?::text[])', types],
    ['c.document_id = ANY (?::uuid[])', documentIds],
    ['c.created_at >= ?::timestamptz', createdFrom],
    ['c.created_at < ?::timestamptz', createdBefore],
  ];
  const used = conditions.filter(([, value]) => value !== undefined);
  const sql = used
    .map(([condition], at) => ` AND ${condition.replace('?', `$${firstParameter + at}`)}`)
    .join('');
  return { sql, parameters: used.map(([, value]) => value) };
}
