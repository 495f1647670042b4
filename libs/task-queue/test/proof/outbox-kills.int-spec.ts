import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { buildLibrary } from '../worker-process.js';
import { ownDatabase, ownPool } from '../stores.js';
import { batched, Proof, single } from './harness/proof.js';
import { type ProofStore, postgresProofStore, redisProofStore } from './harness/proof-stores.js';
import { CLAIMS, isRolledBack } from './harness/proof-tasks.js';
import { ProofProcesses, ProofWorkers } from './harness/proof-workers.js';
import { seededRandom } from './harness/random.js';

jest.setTimeout(300_000);

/** Those that are rolled back come on top; each order has two tasks. */
const ORDERS = 500;
const CALLERS = 2;
const WORKERS = 3;
const SEED = 7;

const numbers: number[] = [];
for (let number = 0; numbers.filter((it) => !isRolledBack(it)).length < ORDERS; number++)
  numbers.push(number);
const kept = numbers.filter((it) => !isRolledBack(it));
const rolledBack = numbers.filter(isRolledBack);

describe('a thousand tasks of transactions', () => {
  const cleanUps: (() => Promise<unknown>)[] = [];

  beforeAll(buildLibrary, 120_000);

  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  it.each<[string, () => Promise<ProofStore>, 'of its own' | 'of the store']>([
    ['through an outbox to Redis', redisProofStore, 'of its own'],
    ['through an outbox to another PostgreSQL', postgresProofStore, 'of its own'],
    ['straight into their PostgreSQL', postgresProofStore, 'of the store'],
  ])('end once each %s, while callers, relays and workers are killed', async (name, open, database) => {
    const proof = await Proof.open(open);
    cleanUps.push(() => proof.close());
    const { backend, prefix } = proof.store;
    let databaseUrl = backend.url;
    if (database === 'of its own') {
      const own = await ownDatabase();
      cleanUps.push(own.remove);
      databaseUrl = own.url;
    }
    const pool = ownPool({ connectionString: databaseUrl });
    cleanUps.push(() => pool.end());
    await pool.query('CREATE TABLE proof_order (number integer PRIMARY KEY)');
    await pool.query('CREATE TABLE proof_refusal (number integer PRIMARY KEY)');
    const count = async (table: string) =>
      (await pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n;

    let isSubmitted = false;
    const settings = { backend, prefix, databaseUrl, numbers };
    const callers = new ProofProcesses('proof-submitter.mjs', settings, (line) => {
      isSubmitted ||= line === 'finished';
    });
    const workers = new ProofWorkers({ backend, prefix, databaseUrl });
    cleanUps.push(
      () => callers.stop(),
      () => workers.stop(),
    );
    const isDone = async () =>
      isSubmitted &&
      (database === 'of the store' || (await count('task_outbox')) === 0) &&
      (await proof.isDone());
    await Promise.all([workers.start(WORKERS), callers.start(CALLERS)]);
    await workers.killUntil(isDone, seededRandom(SEED), callers);

    await proof.expectEndsOnce(single, kept, workers);
    await proof.expectEndsOnce(batched, kept, workers);
    expect([await count('proof_order'), await count('proof_refusal')]).toEqual([ORDERS, rolledBack.length]);
    expect((await proof.store.ends()).size).toBe(2 * ORDERS);
    for (const number of rolledBack) {
      expect(await proof.queue.status(single, String(number))).toBeNull();
      expect([...workers.runs.keys()].filter((it) => it.includes(`/${number}/`))).toEqual([]);
    }
    console.info(
      `${name}: ${workers.kills} workers and ${callers.kills} callers were killed, ${workers.duplicates()} attempts were begun once more`,
    );
    expect(Math.min(workers.kills, callers.kills)).toBeGreaterThan(0);
    expect(workers.duplicates()).toBeLessThanOrEqual(workers.kills * CLAIMS);
  });
});
