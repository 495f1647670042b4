import { z } from 'zod';
import { adaptiveIndexingSchema } from './adaptive/adaptive-indexing.options.js';
import { type NPlusOneFinding } from './n-plus-one/n-plus-one-finding.js';
import { planGuardSchema } from './plan-guard/plan-guard.options.js';
import { type PoolOptionsInput } from './pool/pool.options.js';
import { InvalidQueryOptimizerOptionsError } from './query-optimizer.errors.js';
import { type CachePolicy } from './result-cache/cached-statements.js';
import { slowQueriesSchema } from './slow-queries/slow-query.options.js';
import { type ResultStore } from './result-cache/result-store.js';
import { type QueryObserver } from './tap/query-observer.js';

/** What is not said is as in `pool`. @default acquireTimeoutMs at most 1,000 */
export type ReplicaPoolOptions = Partial<PoolOptionsInput> & Pick<PoolOptionsInput, 'connectionString'>;

const milliseconds = z.number().int().positive().max(2_147_483_647);
const isFunction = (it: unknown) => typeof it === 'function';

const schema = z.strictObject({
  /** Of {@link PriorityPool}; checked there. */
  pool: z.custom<PoolOptionsInput>((it) => it instanceof Object, {
    message: 'must be the options of the pool',
  }),
  /** Streaming replicas for reads: where they are, and what differs from `pool`. */
  replicas: z
    .array(
      z.union([
        z.string(),
        z.custom<ReplicaPoolOptions>((it) => it instanceof Object && 'connectionString' in it, {
          message: 'must be a connection string, or options of a pool with one',
        }),
      ]),
    )
    .default([]),
  replication: z
    .strictObject({
      /** A replica is asked only if it has everything that was committed this long ago. Milliseconds. */
      maxLagMs: milliseconds.default(5_000),
      /** How often primary and replicas are asked how far they are. Milliseconds. */
      checkEveryMs: milliseconds.default(500),
    })
    .refine(({ maxLagMs, checkEveryMs }) => 2 * checkEveryMs <= maxLagMs, {
      message: 'must be at most half of maxLagMs: nothing newer is known in between',
      path: ['checkEveryMs'],
    })
    .prefault({}),
  /** Where results are kept. @default this process */
  store: z
    .custom<ResultStore>((it) => it instanceof Object && 'getOrLoad' in it, {
      message: 'must be a ResultStore',
    })
    .optional(),
  cache: z
    .strictObject({
      /** Live: asked at every query, with its key. */
      enabled: z
        .union([z.boolean(), z.custom<(key: string) => boolean>(isFunction, 'must be a function')])
        .default(true),
      ttlMs: milliseconds.default(300_000),
      maxResultBytes: z.number().int().positive().default(1_048_576),
      /** Which statements are cached with no word at the call site. Their rows are shared and frozen. */
      policy: z.custom<CachePolicy>(isFunction, 'must be a function').optional(),
      /** Hear of writes that bypass this library, where its triggers are installed. @default true */
      listen: z.boolean().default(true),
      /**
       * What others write, and what they change of the schema, is known after this long at the latest, whatever happens to
       * the network; where it cannot be known, nothing is answered from the cache. Milliseconds.
       */
      maxStalenessMs: milliseconds.default(5_000),
    })
    .prefault({}),
  /** Where unqualified names are looked up. @default what the server says for the pool's role */
  searchPath: z.array(z.string().min(1)).min(1).optional(),
  nPlusOne: z
    .strictObject({
      threshold: z.number().int().min(2).default(5),
      /** Share of the requests and tasks that are watched, 0 to 1. */
      sampleRate: z.number().min(0).max(1).default(0),
      /** Told of each loop at the end of its request or task. */
      onFinding: z.custom<(finding: NPlusOneFinding) => void>(isFunction, 'must be a function').optional(),
    })
    .prefault({}),
  /** Told of every statement that is sent, in the context of who sends it, and of its end. Must not throw. */
  onStatement: z.custom<QueryObserver['started']>(isFunction, 'must be a function').optional(),
  slowQueries: slowQueriesSchema.prefault({}),
  planGuard: planGuardSchema.prefault({}),
  adaptiveIndexing: adaptiveIndexingSchema.prefault({}),
});

export type QueryOptimizerOptionsInput = z.input<typeof schema>;
export type QueryOptimizerOptions = Readonly<z.output<typeof schema>>;

/** @throws {InvalidQueryOptimizerOptionsError} with every problem at once */
export function parseQueryOptimizerOptions(input: QueryOptimizerOptionsInput): QueryOptimizerOptions {
  const parsed = schema.safeParse(input);
  if (parsed.success) return Object.freeze(parsed.data);
  throw new InvalidQueryOptimizerOptionsError(
    parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`),
  );
}
