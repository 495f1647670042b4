import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { QueueUnavailableError } from '../../src/index.js';
import { until } from '../probe-app.js';
import { buildLibrary } from '../worker-process.js';
import { batched, Proof, single, upTo } from './harness/proof.js';
import { postgresProofStore, redisProofStore } from './harness/proof-stores.js';
import { CLAIMS } from './harness/proof-tasks.js';

jest.setTimeout(240_000);

const TASKS_OF_A_KIND = 300;
/** Submitted while the store comes and goes. */
const LATE = 100;
const WORKERS = 2;
const PAUSE_MS = 10_000;
/** Shorter than the outages, so that callers learn of them. */
const OPERATION_TIMEOUT_MS = 1_500;

describe('under load', () => {
  let proof: Proof;

  beforeAll(buildLibrary, 120_000);

  afterEach(() => proof.close());

  it('a Redis that is paused for 10 s loses nothing, and callers are told', async () => {
    const of = await Proof.open(redisProofStore, { operationTimeoutMs: OPERATION_TIMEOUT_MS });
    proof = of;
    await disturb(async () => {
      of.store.server.pause();
      await Promise.all([sleep(PAUSE_MS), expectUnavailable()]);
      of.store.server.resume();
    });
  });

  it('a Redis that is killed and comes back with its append-only file loses nothing, and callers are told', async () => {
    const of = await Proof.open(redisProofStore, { operationTimeoutMs: OPERATION_TIMEOUT_MS });
    proof = of;
    await disturb(async () => {
      await of.store.server.kill();
      await expectUnavailable();
      await of.store.server.start();
    });
  });

  it('a PostgreSQL that ends all connections again and again loses nothing', async () => {
    proof = await Proof.open(postgresProofStore, { operationTimeoutMs: OPERATION_TIMEOUT_MS });
    await disturb(async () => {
      for (let time = 0; time < 10; time++) {
        await terminateConnections(proof.store.backend.url);
        await sleep(300);
      }
    });
  });

  /** Two outages in the middle of the work, while more is submitted. */
  async function disturb(outage: () => Promise<void>): Promise<void> {
    const { workers, isDone } = proof;
    const numbers = upTo(TASKS_OF_A_KIND);
    await proof.submit(single, numbers);
    await proof.submit(batched, numbers);
    await workers.start(WORKERS);
    const late = upTo(LATE).map((it) => TASKS_OF_A_KIND + it);
    const submitted = submitStubbornly(late);
    for (const share of [0.2, 0.5]) {
      await until(() => workers.runs.size > share * 2 * TASKS_OF_A_KIND);
      await outage();
    }
    const refusals = await submitted;
    await until(isDone);
    await proof.expectEndsOnce(single, [...numbers, ...late]);
    await proof.expectEndsOnce(batched, numbers);
    console.info(`${refusals} calls were refused, ${workers.duplicates()} attempts were begun once more`);
    expect(workers.duplicates()).toBeLessThanOrEqual(20 * WORKERS * CLAIMS);
  }

  /** One after the other, each with its id until it is accepted. @returns how often one was not */
  async function submitStubbornly(numbers: readonly number[]): Promise<number> {
    let refusals = 0;
    for (const number of numbers) {
      while (!(await isAccepted(number))) {
        refusals++;
        await sleep(50);
      }
      await sleep(30);
    }
    return refusals;
  }

  async function isAccepted(number: number): Promise<boolean> {
    try {
      await proof.queue.submit(single, { number }, { id: String(number) });
      return true;
    } catch (error) {
      if (error instanceof QueueUnavailableError) return false;
      throw error;
    }
  }

  async function expectUnavailable(): Promise<void> {
    const { queue } = proof;
    await expect(queue.status(single, '0')).rejects.toThrow(QueueUnavailableError);
    await expect(queue.cancel(single, 'nobody')).rejects.toMatchObject({ code: 'TASK_QUEUE_UNAVAILABLE' });
    await expect(queue.deadLetters.list()).rejects.toThrow(QueueUnavailableError);
    expect(await queue.stats()).toMatchObject({ pending: null, running: null });
  }
});

async function terminateConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await client.end();
}
