import type { MigrationInterface } from 'typeorm';
import type { QueryResultCache } from 'typeorm/cache/QueryResultCache.js';
import { z } from 'zod';

import { DatabaseOptionsError } from './database.errors.js';

type EntityClass = abstract new (...args: never[]) => object;
type MigrationClass = new () => MigrationInterface;

const isFunction = (it: unknown): boolean => typeof it === 'function';

const schema = z.strictObject({
  /** `postgres://user:password@host:port/database`, with pg's query parameters, `sslmode` for one. */
  url: z.string().refine(isPostgresUrl, 'expected postgres://user:password@host:port/database'),
  entities: z.array(z.custom<EntityClass>(isFunction, 'expected a class')).readonly().default([]),
  /** In the order in which they run. */
  migrations: z.array(z.custom<MigrationClass>(isFunction, 'expected a class')).readonly().default([]),
  /** Shown in pg_stat_activity. */
  applicationName: z.string().min(1).max(63).default('peregrine'),
  poolMax: z.int().positive().default(10),
  /** For a new connection, and for a free one of the pool, milliseconds. */
  connectTimeoutMs: z.int().positive().default(5_000),
  /** The server cancels a statement that runs longer, milliseconds; 0 is no limit. */
  statementTimeoutMs: z.int().nonnegative().default(0),
  /** How long the first connection is tried, milliseconds. */
  startTimeoutMs: z.int().positive().default(30_000),
  /**
   * What connects instead of the package `pg`, such as a pool that raw SQL shares. Name, pool and time-outs of the
   * connections are its own then. @default pg
   */
  driver: z.custom<object>((it) => it instanceof Object, 'expected the module pg, or one like it').optional(),
  /** Answers finds and query builders that ask to be cached. @default none */
  resultCache: z
    .custom<() => QueryResultCache>(isFunction, 'expected a function that makes the cache')
    .optional(),
});

/** What `DatabaseModule.forRoot` and `createDataSource` take. */
export type DatabaseOptionsInput = z.input<typeof schema>;
export type DatabaseOptions = Readonly<z.output<typeof schema>>;

/** @throws {DatabaseOptionsError} with every problem at once, never with the url */
export function parseDatabaseOptions(input: DatabaseOptionsInput): DatabaseOptions {
  const result = schema.safeParse(input);
  if (result.success) return Object.freeze(result.data);
  throw new DatabaseOptionsError(result.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`));
}

function isPostgresUrl(text: string): boolean {
  return (
    URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol) && new URL(text).hostname !== ''
  );
}
