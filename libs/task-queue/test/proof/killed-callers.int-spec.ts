import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createTaskQueue, PermanentTaskError } from '../../src/index.js';
import { until } from '../probe-app.js';
import { buildLibrary } from '../worker-process.js';
import { batched, Proof, single, upTo } from './harness/proof.js';
import { killInTheMiddle } from './harness/kill-in-the-middle.js';
import { proofStores } from './harness/proof-stores.js';
import { fateOf, stateOf } from './harness/proof-tasks.js';
import { seededRandom } from './harness/random.js';

jest.setTimeout(180_000);

const DEAD = 1_000;
const QUEUED = 1_500;
const SEED = 11;

describe.each(proofStores)('a caller that is killed in the middle on %s', (name, open) => {
  let proof: Proof;

  beforeAll(buildLibrary, 120_000);

  beforeEach(async () => {
    proof = await Proof.open(open);
  });

  afterEach(() => proof.close());

  it('of a redrive leaves every task dead or waiting, and the next call does the rest', async () => {
    const { store, queue } = proof;
    const random = seededRandom(SEED);
    const numbers = upTo(DEAD);
    await failAll(numbers);
    const calls = [2, 5].map((steps) =>
      killInTheMiddle(store, { verb: 'redrive' }, { steps, ms: random() * 10 }),
    );
    expect(await Promise.all(calls)).toContain(true);
    const { pending, running } = await queue.stats();
    const dead = (await queue.deadLetters.redrive({ task: single.name }, { dryRun: true })).matched;
    expect([running, (pending ?? 0) + dead]).toEqual([0, DEAD]);
    expect(await queue.deadLetters.redrive({ task: single.name })).toMatchObject({ redriven: dead });
    expect(await queue.stats()).toMatchObject({ pending: DEAD });
    await failAll([]);
    const ends = await store.ends();
    const ofOthers = numbers.filter((it) => ends.get(`proof.single/${it}`)?.join() !== 'failed,failed');
    expect(ofOthers).toEqual([]);
    console.info(`${name}: ${dead} of ${DEAD} tasks were still dead when two redrives had been killed`);
  });

  it('of a purge leaves every task dead or gone, and the next call does the rest', async () => {
    const { store, queue } = proof;
    const numbers = upTo(DEAD);
    await failAll(numbers);
    await killInTheMiddle(store, { verb: 'purge' }, { steps: 0, ms: 30 });
    const { matched } = await queue.deadLetters.redrive({ task: single.name }, { dryRun: true });
    const states = await Promise.all(numbers.map((it) => queue.status(single, String(it))));
    expect(states.filter((it) => it?.state === 'failed')).toHaveLength(matched);
    expect(states.filter((it) => it === null)).toHaveLength(DEAD - matched);
    expect(await queue.deadLetters.purge({ task: single.name })).toMatchObject({ purged: matched });
    expect((await queue.deadLetters.list()).items).toEqual([]);
  });

  it('of a cancellation of many, while they run, leaves each to end once', async () => {
    const { store, queue, workers, isDone } = proof;
    const random = seededRandom(SEED);
    const numbers = upTo(QUEUED);
    const ids = numbers.map(String);
    await proof.submit(single, numbers);
    await workers.start(2);
    await killInTheMiddle(store, { verb: 'cancel', ids: ids.toReversed() }, { steps: 3, ms: random() * 20 });
    const outcomes = await queue.cancelMany(single, ids.slice(QUEUED / 2));
    await workers.killOne(random);
    const later = await queue.cancelMany(single, ids.slice(QUEUED / 4));
    await until(isDone);
    expect(outcomes.concat(later)).not.toContain('not-found');
    const states = new Map<string, number>();
    for (const number of numbers) {
      const { state } = (await queue.status(single, String(number)))!;
      expect(['cancelled', stateOf(fateOf(number))]).toContain(state);
      if (number >= QUEUED / 2 && outcomes[number - QUEUED / 2] === 'cancelled')
        expect(state).toBe('cancelled');
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    const again = [...(await store.ends())].filter(([, ends]) => ends.length > 1);
    expect(again).toEqual([]);
    console.info(`${name}: ended as`, Object.fromEntries(states));
  });

  /** Submits them, and runs all that waits to its bitter end. */
  async function failAll(numbers: readonly number[]): Promise<void> {
    await proof.submit(single, numbers);
    const { backend, prefix } = proof.store;
    const handler = () => Promise.reject(new PermanentTaskError('dead'));
    const executeBatch = () => Promise.resolve([]);
    const worker = await createTaskQueue({
      backend,
      prefix,
      tasks: [
        { definition: single, handler },
        { definition: batched, handler: { executeBatch } },
      ],
      worker: { concurrency: 50 },
    });
    await until(proof.isDone);
    await worker.close();
  }
});
