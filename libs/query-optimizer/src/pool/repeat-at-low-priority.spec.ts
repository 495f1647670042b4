import { expect, it } from '@jest/globals';
import { currentQueryPriority } from './query-priority.js';
import { repeatAtLowPriority } from './repeat-at-low-priority.js';

/** Rounds that end when they are told to. */
function rounds() {
  const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let count = 0;
  const work = async () => {
    const round = count++;
    begun[round]?.resolve();
    await ends[round]?.promise;
  };
  return { begun, ends, work, count: () => count };
}

it('goes on after a round that failed, and asks at low priority', async () => {
  const errors: unknown[] = [];
  const second = Promise.withResolvers<string>();
  let round = 0;
  const repeated = repeatAtLowPriority(
    1,
    async () => {
      await Promise.resolve();
      if (++round === 1) throw new Error('lost');
      second.resolve(currentQueryPriority());
    },
    (error) => errors.push(error),
  );
  expect(await second.promise).toBe('low');
  await repeated.stop();
  expect(errors).toEqual([new Error('lost')]);
});

it('begins no round while one is under way, however long it takes', async () => {
  const { begun, ends, work, count } = rounds();
  const repeated = repeatAtLowPriority(1, work, () => undefined);
  await begun[0]?.promise;
  // A timer of the same length that is set later ends later.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(count()).toBe(1);
  ends[0]?.resolve();
  await begun[1]?.promise;
  ends[1]?.resolve();
  await repeated.stop();
});

it('has ended when its stop has', async () => {
  const { begun, ends, work, count } = rounds();
  const repeated = repeatAtLowPriority(1, work, () => undefined);
  await begun[0]?.promise;
  let isStopped = false;
  const stopped = repeated.stop().then(() => (isStopped = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isStopped).toBe(false);
  ends[0]?.resolve();
  await stopped;
  expect(count()).toBe(1);
});
