import { describe, it } from '@jest/globals';
import { createCache, MemoryTier } from '../index.js';
import { cacheContract } from './cache-contract.js';
import { FakeClock } from './fake-clock.js';
import { memoryTierContract } from './memory-contract.js';

describe('MemoryTier', () => {
  const cases = memoryTierContract(({ clock, ...limits }) => new MemoryTier({ ...limits, now: clock.now }));
  for (const { title, run } of cases) it(title, run);
});

describe('a cache with memory alone', () => {
  const open = () => {
    const clock = new FakeClock();
    const cache = createCache({ clock });
    return Promise.resolve({ cache, clock, close: () => cache.close() });
  };
  for (const { title, run } of cacheContract(open, { lives: true })) it(title, run);
});
