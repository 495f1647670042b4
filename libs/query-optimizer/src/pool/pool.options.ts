import { z } from 'zod';
import { InvalidPoolOptionsError } from './pool.errors.js';

const milliseconds = z.number().int().positive().max(2_147_483_647);
const count = z.number().int().positive().max(10_000);

const slackSchema = z.strictObject({
  normal: milliseconds.default(250),
  low: milliseconds.default(1_000),
});

const SETTING_NAME = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i;

const schema = z
  .strictObject({
    /** `postgres://user:password@host:port/database`, with pg's query parameters. */
    connectionString: z
      .string()
      .refine((it) => URL.canParse(it) && /^postgres(ql)?:$/.test(new URL(it).protocol), {
        message: 'expected postgres://user:password@host:port/database',
      }),
    /** Shown in pg_stat_activity. */
    applicationName: z.string().min(1).max(63).default('peregrine'),
    /** Connections that stay open once they were needed. */
    min: z.number().int().nonnegative().max(10_000).default(10),
    /** Never more, whatever waits. */
    max: count.default(100),
    /** Connections that only high priority gets. @default a tenth of `max`, at most half of it */
    reserve: z.number().int().nonnegative().max(10_000).optional(),
    /** How long a caller waits for a connection. */
    acquireTimeoutMs: milliseconds.default(3_000),
    /** How many callers wait before more are refused. */
    maxWaiting: count.default(1_000),
    /** How much later than a high one a normal or low caller is due. */
    slackMs: slackSchema.prefault({}),
    /** Beyond `min` another connection is opened when somebody has waited this long. */
    growAfterMs: milliseconds.default(10),
    connectTimeoutMs: milliseconds.default(5_000),
    /** The server cancels a statement that runs longer; 0 is no limit. */
    statementTimeoutMs: z.number().int().nonnegative().max(2_147_483_647).default(30_000),
    /** Beyond `min` a connection that was not needed for this long is closed. */
    idleTimeoutMs: milliseconds.default(30_000),
    /** A connection older than this is replaced when it comes back; 0 is never. */
    maxLifetimeMs: z.number().int().nonnegative().max(2_147_483_647).default(0),
    /** A connection that is kept longer than this is reported with the place that took it; 0 is never. */
    leakAfterMs: z.number().int().nonnegative().max(2_147_483_647).default(30_000),
    /** Connections of the server that are left to others, beyond those that they have. */
    serverHeadroom: z.number().int().nonnegative().default(5),
    /** By PostgreSQL's names (`work_mem: '64MB'`); checked against the server before the first use. */
    session: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  })
  .refine(({ min, max }) => min <= max, { message: 'must not be above max', path: ['min'] })
  .superRefine(({ session }, context) => {
    for (const name of Object.keys(session).filter((it) => !SETTING_NAME.test(it))) {
      context.addIssue({ code: 'custom', path: ['session', name], message: 'is no name of a setting' });
    }
  })
  .refine(({ reserve = 0, max }) => reserve < max, { message: 'must be below max', path: ['reserve'] });

export type PoolOptionsInput = z.input<typeof schema>;
export type PoolOptions = Readonly<z.output<typeof schema>> & { readonly reserve: number };

/** @throws {InvalidPoolOptionsError} with every problem at once, never with the connection string */
export function parsePoolOptions(input: PoolOptionsInput): PoolOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new InvalidPoolOptionsError(parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`));
  }
  const { max, reserve = Math.min(Math.ceil(max / 10), Math.floor(max / 2)) } = parsed.data;
  return Object.freeze({ ...parsed.data, reserve });
}
