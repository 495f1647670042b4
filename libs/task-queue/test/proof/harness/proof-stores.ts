import { Redis } from 'ioredis';
import pg from 'pg';
import { type ContractStore } from '../../contract/task-queue-contract.js';
import { postgresStore, redisStore } from '../../stores.js';
import { RedisServer } from './redis-server.js';

/** How jobs ended, by their ids, in the order of events: more than once where something is wrong. */
export type Ends = ReadonlyMap<string, readonly string[]>;

/** A store that remembers every end of a task, whoever wrote it. */
export interface ProofStore extends ContractStore {
  /** Once its tables are there. */
  remember(): Promise<void>;
  ends(): Promise<Ends>;
}

export type RedisProofStore = ProofStore & { readonly server: RedisServer };

/** In a server of its own; BullMQ's events tell. */
export async function redisProofStore(): Promise<RedisProofStore> {
  const server = await RedisServer.start();
  const store = await redisStore(server.url);
  return {
    ...store,
    server,
    remember: () => Promise.resolve(),
    ends: () => endsInRedis(server.url, `{${store.prefix}}:tasks:events`),
    remove: () => server.remove(),
  };
}

/** Of a process. There are many, those of the dead linger, and the server is also for other tests. */
const POOL_MAX = 2;

const REMEMBER = `
CREATE TABLE proof_end (at bigserial, job text NOT NULL, state text NOT NULL);
CREATE FUNCTION proof_note_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.proof_end (job, state) VALUES (NEW.id, NEW.state::text);
  RETURN NULL;
END $$;
CREATE TRIGGER proof_end AFTER UPDATE ON bullmq.job FOR EACH ROW
  WHEN (OLD.state IS DISTINCT FROM NEW.state AND NEW.state::text IN ('completed', 'failed'))
  EXECUTE FUNCTION proof_note_end();`;

/** In a database of its own; a trigger writes down what changes to an end. */
export async function postgresProofStore(): Promise<ProofStore> {
  const store = await postgresStore();
  return {
    ...store,
    backend: { type: 'postgres', url: store.backend.url, poolMax: POOL_MAX },
    remember: () => inDatabase(store.backend.url, async (client) => void (await client.query(REMEMBER))),
    ends: () => inDatabase(store.backend.url, endsInPostgres),
  };
}

export const proofStores: readonly (readonly [string, () => Promise<ProofStore>])[] = [
  ['Redis', redisProofStore],
  ['PostgreSQL', postgresProofStore],
];

async function endsInRedis(url: string, stream: string): Promise<Ends> {
  const redis = new Redis(url);
  const events = await redis.xrange(stream, '-', '+');
  await redis.quit();
  const ended = events.map(([, fields]) => ({ event: field(fields, 'event'), job: field(fields, 'jobId') }));
  return byJob(ended.filter(({ event }) => event === 'completed' || event === 'failed'));
}

function field(fields: readonly string[], name: string): string {
  return fields[fields.indexOf(name) + 1] ?? '';
}

async function endsInPostgres(client: pg.Client): Promise<Ends> {
  const text = 'SELECT job, state AS event FROM proof_end ORDER BY at';
  return byJob((await client.query<{ job: string; event: string }>(text)).rows);
}

function byJob(ended: readonly { readonly job: string; readonly event: string }[]): Ends {
  const groups = [...Map.groupBy(ended, (it) => it.job)];
  return new Map(groups.map(([job, events]) => [job, events.map((it) => it.event)]));
}

async function inDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
