import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { until } from '../probe-app.js';
import { buildLibrary } from '../worker-process.js';
import { batched, Proof, single, upTo } from './harness/proof.js';
import { proofStores } from './harness/proof-stores.js';
import { CLAIMS } from './harness/proof-tasks.js';
import { seededRandom } from './harness/random.js';

jest.setTimeout(240_000);

const TASKS_OF_A_KIND = 500;
const WORKERS = 3;
const SEED = 4;
/** Ends well, and is the number of no other task. */
const TICK = 1_000_000;

describe.each(proofStores)('a thousand tasks on %s', (name, open) => {
  let proof: Proof;

  beforeAll(buildLibrary, 120_000);

  beforeEach(async () => {
    proof = await Proof.open(open);
  });

  afterEach(() => proof.close());

  it('end once each while a worker is killed every 200 to 500 ms, and no tick of a schedule is left out', async () => {
    const { queue, workers, isDone } = proof;
    const numbers = upTo(TASKS_OF_A_KIND);
    await proof.submit(single, numbers);
    await proof.submit(batched, numbers);
    const options = { cron: '* * * * * *', missed: 'catch-up' } as const;
    const { nextAt: firstTick } = await queue.schedule('tick', single, { number: TICK }, options);
    await workers.start(WORKERS);
    await workers.killUntil(isDone, seededRandom(SEED));
    const nextTick = (await queue.schedules())[0]!.nextAt;
    await queue.unschedule('tick');
    await until(isDone);

    await proof.expectEndsOnce(single, numbers);
    await proof.expectEndsOnce(batched, numbers);
    for (let tick = firstTick.getTime(); tick < nextTick.getTime(); tick += 1_000) {
      expect(await queue.status(single, `tick@${tick}`)).toMatchObject({ state: 'completed' });
    }
    console.info(
      `${name}: ${workers.kills} kills, one in ${workers.medianPauseMs} ms, ${workers.duplicates([TICK])} attempts were begun once more`,
    );
    expect(workers.kills).toBeGreaterThan(0);
    expect(workers.duplicates([TICK])).toBeLessThanOrEqual(workers.kills * CLAIMS);
  });
});
