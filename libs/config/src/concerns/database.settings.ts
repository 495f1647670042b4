import { defineSettings, setting } from '../settings/define-settings.js';
import { listOf, oneOf, namedTexts, optional, url, wholeNumber } from '../settings/value-types.js';

const MAX_MS = 86_400_000;

/** PostgreSQL. */
export const databaseSettings = defineSettings('Database', {
  url: setting('DATABASE_URL', url('postgres', 'postgresql'), {
    description: 'The PostgreSQL database.',
    secret: true,
    example: 'postgres://user:password@127.0.0.1:5432/peregrine',
  }),
  replicaUrls: setting(
    'DATABASE_REPLICA_URLS',
    optional(
      listOf(/^postgres(?:ql)?:\/\/[^\s,]+$/i, 'addresses postgres://… separated by commas', (it) => it),
    ),
    {
      description: 'Streaming replicas that answer reads of the api. Unset: the primary answers all of them.',
      secret: true,
      example: 'postgres://user:password@127.0.0.1:5433/peregrine',
    },
  ),
  replicaMaxLagMs: setting('DATABASE_REPLICA_MAX_LAG_MS', wholeNumber(1_000, MAX_MS), {
    description: 'A replica that is further behind is not asked, milliseconds. Own writes are always read.',
    default: '5000',
  }),
  poolMin: setting('DATABASE_POOL_MIN', wholeNumber(0, 10_000), {
    description: 'Connections of one process that stay open; never more than DATABASE_POOL_MAX.',
    default: '10',
  }),
  poolMax: setting('DATABASE_POOL_MAX', wholeNumber(1, 10_000), {
    description: 'Most connections of one process; fewer while the server has no room for them.',
    default: '50',
  }),
  poolMaxWaiting: setting('DATABASE_POOL_MAX_WAITING', wholeNumber(1, 10_000), {
    description: 'Callers that wait for a connection; more are answered 503.',
    default: '1000',
  }),
  acquireTimeoutMs: setting('DATABASE_ACQUIRE_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
    description: 'Longest wait for a free connection, milliseconds.',
    default: '3000',
  }),
  connectTimeoutMs: setting('DATABASE_CONNECT_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
    description: 'Longest time until a new connection is open, milliseconds.',
    default: '5000',
  }),
  idleTimeoutMs: setting('DATABASE_IDLE_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
    description:
      'Beyond DATABASE_POOL_MIN a connection that was not needed this long is closed, milliseconds.',
    default: '30000',
  }),
  statementTimeoutMs: setting('DATABASE_STATEMENT_TIMEOUT_MS', wholeNumber(0, MAX_MS), {
    description: 'Longest time of one statement, milliseconds. 0 switches the limit off.',
    default: '30000',
  }),
  startTimeoutMs: setting('DATABASE_START_TIMEOUT_MS', wholeNumber(1, MAX_MS), {
    description: 'How long start-up waits for the database, milliseconds.',
    default: '30000',
  }),
  session: setting('DATABASE_SESSION', namedTexts(), {
    description: "Settings of every session, by PostgreSQL's names; the server checks them at the start.",
    default: 'jit=off,random_page_cost=1.1,work_mem=8MB',
  }),
  queryMaxStalenessMs: setting('QUERY_CACHE_MAX_STALENESS_MS', wholeNumber(100, MAX_MS), {
    description: 'How old a cached result may be at most when another process has written, milliseconds.',
    default: '5000',
  }),
  loopWatch: setting('QUERY_LOOP_WATCH', oneOf(['off', 'count', 'warn']), {
    description:
      'Queries in a loop (N+1). count: in 1 % of requests and tasks, as a metric. warn: in all, with the line in the log.',
    default: 'count',
  }),
});
