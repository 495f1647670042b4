import { type IndexStmt } from 'libpg-query';
import { z } from 'zod';

import { parseOne } from '../analysis/parser.js';
import { formatRelationName } from '../analysis/relation-name.js';
import { QuerySyntaxError } from '../query-optimizer.errors.js';
import { InvalidIndexPlanError } from './index-builder.errors.js';

/** PostgreSQL cuts longer names off, and the index would be looked for under another name than it has. */
const MAX_NAME_BYTES = 63;
const METHODS = ['btree', 'brin', 'gin', 'hash'] as const;
/** What advice may ask for beside the index; all of them come with PostgreSQL and are trusted extensions. */
const EXTENSION = /^CREATE EXTENSION IF NOT EXISTS "?(pg_trgm|btree_gin|btree_gist)"?$/i;

const name = z
  .string()
  .min(1)
  .refine((it) => Buffer.byteLength(it) <= MAX_NAME_BYTES && !it.includes('\0'), {
    message: `must be a name of at most ${MAX_NAME_BYTES} bytes`,
  });
const sql = z.string().min(1);

const schema = z.object({
  id: z.string().regex(/^[\w-]{1,64}$/, 'must be letters, digits, _ and -'),
  table: z.object({ schema: name, name }),
  indexName: name,
  /** Columns or expressions in order, as SQL, with operator class and order. */
  keys: z.array(sql).min(1).max(32),
  /** Names. */
  included: z.array(name).max(32).default([]),
  predicate: sql.nullable().default(null),
  method: z.enum(METHODS).default('btree'),
  isPartitioned: z.boolean().default(false),
  prerequisites: z
    .array(z.string().regex(EXTENSION, 'must create pg_trgm, btree_gin or btree_gist'))
    .default([]),
});

/** What is built of a recommendation: its parts. A statement that came with it is never run. */
export type IndexPlan = Readonly<z.output<typeof schema>>;

/** Where and how an index is made. */
export interface IndexPlace {
  readonly schema: string;
  readonly table: string;
  readonly indexName: string;
  readonly mode: 'concurrently' | 'only' | 'plain';
}

/**
 * The parts of a recommendation, or of what somebody has written by hand.
 *
 * `loadAnalyser()` must have finished.
 *
 * @throws {InvalidIndexPlanError} with every problem at once
 */
export function parseIndexPlan(input: unknown): IndexPlan {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new InvalidIndexPlanError(parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`));
  }
  assertIsOneIndex(parsed.data);
  return Object.freeze(parsed.data);
}

export const placeOf = (plan: IndexPlan, mode: IndexPlace['mode']): IndexPlace => ({
  schema: plan.table.schema,
  table: plan.table.name,
  indexName: plan.indexName,
  mode,
});

/** The statement, without a semicolon. */
export function createIndexStatement(plan: IndexPlan, place: IndexPlace): string {
  const { mode, indexName, schema, table } = place;
  const on = formatRelationName({ schema, name: table });
  return [
    `CREATE INDEX${mode === 'concurrently' ? ' CONCURRENTLY' : ''} ${formatRelationName({ schema: null, name: indexName })}`,
    `ON ${mode === 'only' ? 'ONLY ' : ''}${on} USING ${plan.method} (${plan.keys.join(', ')})`,
    ...(plan.included.length > 0
      ? [`INCLUDE (${plan.included.map((it) => formatRelationName({ schema: null, name: it })).join(', ')})`]
      : []),
    ...(plan.predicate === null ? [] : [`WHERE (${plan.predicate})`]),
  ].join(' ');
}

/** The parts are SQL: read together by PostgreSQL's grammar, they must say just this index and nothing else. */
function assertIsOneIndex(plan: IndexPlan): void {
  const statement = createIndexStatement(plan, placeOf(plan, 'concurrently'));
  const parsed = parsedOrProblem(statement);
  if (typeof parsed === 'string') throw new InvalidIndexPlanError([`${plan.indexName}: ${parsed}`]);
  const expected: readonly [string, boolean][] = [
    ['name', parsed.idxname === plan.indexName],
    ['table', parsed.relation?.relname === plan.table.name],
    ['schema', parsed.relation?.schemaname === plan.table.schema],
    ['method', parsed.accessMethod === plan.method],
    ['keys', parsed.indexParams?.length === plan.keys.length],
    ['included', (parsed.indexIncludingParams?.length ?? 0) === plan.included.length],
    ['predicate', (parsed.whereClause !== undefined) === (plan.predicate !== null)],
    ['options', parsed.options === undefined && !parsed.tableSpace && !parsed.unique],
    ['build', parsed.concurrent === true],
  ];
  const wrong = expected.filter(([, isRight]) => !isRight).map(([part]) => part);
  if (wrong.length === 0) return;
  throw new InvalidIndexPlanError([
    `${plan.indexName}: its parts do not make one index (${wrong.join(', ')})`,
  ]);
}

function parsedOrProblem(statement: string): IndexStmt | string {
  try {
    const parsed = parseOne(statement);
    if (parsed instanceof QuerySyntaxError) return parsed.message;
    return 'IndexStmt' in parsed ? parsed.IndexStmt : 'it is no index';
  } catch (error) {
    // Several statements in one.
    return error instanceof Error ? error.message : String(error);
  }
}
