import { z } from 'zod';
import { type RelationName } from '../analysis/relation-name.js';
import { QueryLoaderOptionsError } from '../query-optimizer.errors.js';

const name = z.string().min(1);
const relation = z.union([
  name.transform((it): RelationName => ({ schema: null, name: it })),
  z.strictObject({ schema: name.nullable(), name }),
]);

const schema = z.strictObject({
  /** A table or a view; a text is looked up on the search path. */
  table: relation,
  /** The column, or columns, by whose values rows are asked for: integer, uuid, text, varchar or boolean. */
  key: z.union([name.transform((it) => [it]), z.array(name).min(1).max(10)]),
  /** What is read; the key is always read too. @default all columns */
  columns: z.array(name).min(1).optional(),
  /** The order of the rows of one key, for `rowsLoaderFor`: column to direction. */
  orderBy: z.record(name, z.enum(['ASC', 'DESC'])).default({}),
  /** Keep the rows of each key in the result cache too, until one of them is written. */
  cache: z.boolean().default(false),
  /** How long at most, milliseconds. @default the option `cache.ttlMs` */
  ttlMs: z.number().int().positive().max(2_147_483_647).optional(),
  /** Keys that one statement asks for at most. */
  maxBatchSize: z.number().int().positive().max(30_000).default(1_000),
});

export type LoaderOptionsInput = z.input<typeof schema>;
export type LoaderOptions = Readonly<z.output<typeof schema>>;

/** @throws {QueryLoaderOptionsError} with every problem at once */
export function parseLoaderOptions(input: LoaderOptionsInput): LoaderOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new QueryLoaderOptionsError(parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`));
}
