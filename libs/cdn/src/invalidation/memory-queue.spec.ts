import { describe, it } from '@jest/globals';
import { invalidationQueueContract } from '../testing/invalidation-queue-contract.js';
import { MemoryInvalidationQueue } from './memory-queue.js';

describe('the queue in memory', () => {
  const open = () =>
    Promise.resolve({ queue: new MemoryInvalidationQueue(), close: () => Promise.resolve() });
  for (const { title, run } of invalidationQueueContract(open)) it(title, run);
});
