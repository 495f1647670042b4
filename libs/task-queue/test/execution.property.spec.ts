import { setImmediate as tick } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { z } from 'zod';
import { type BatchItemResult, defineTask } from '../src/index.js';
import { Admission } from '../src/execution/admission.js';
import { Attempt } from '../src/execution/attempt.js';
import { BatchCollector } from '../src/execution/batch-collector.js';
import { retryDelayMs } from '../src/execution/retry-delay.js';
import { Slots } from '../src/execution/slots.js';
import { decodePayload, encodePayload } from '../src/definition/task-payload.js';
import { parseTaskQueueOptions } from '../src/task-queue.options.js';
import { TaskStatistics } from '../src/statistics/task-statistics.js';

jest.setTimeout(60_000);

const anything = defineTask({ name: 'any.thing', payload: z.unknown() });
const options = parseTaskQueueOptions({ backend: { type: 'inline' }, tasks: [] });
const silent = { progress: () => Promise.resolve(), log: () => Promise.resolve() };

const attemptOf = (number: number) =>
  new Attempt({
    definition: anything,
    id: String(number),
    number: 1,
    fence: 1,
    payload: { text: String(number), schemaVersion: 1 },
    priority: 3,
    reporter: silent,
    company: { size: 1, turn: 'common' },
    complete: () => Promise.reject(new Error('not in a transaction')),
  });

describe('slots', () => {
  it('never admit more than there are, and everyone in the end', async () => {
    const run = async (size: number, priorities: readonly number[]) => {
      const slots = new Slots(size);
      let inside = 0;
      let most = 0;
      const visit = async (priority: number) => {
        const release = await slots.acquire(priority);
        most = Math.max(most, ++inside);
        await tick();
        inside--;
        release();
      };
      await Promise.all(priorities.map(visit));
      expect(most).toBe(Math.min(size, priorities.length));
    };
    const priorities = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 40 });
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 8 }), priorities, run), { numRuns: 50 });
  });
});

describe('batches', () => {
  it('give every item its own result, in calls that are never too large', async () => {
    const run = async (size: number, outcomes: readonly boolean[]) => {
      const sizes: number[] = [];
      const executeBatch = (items: readonly { payload: unknown }[]): Promise<BatchItemResult[]> => {
        sizes.push(items.length);
        const results = items.map(({ payload }): BatchItemResult =>
          outcomes[payload as number]
            ? { ok: true, value: payload }
            : { ok: false, error: new Error(String(payload)) },
        );
        return Promise.resolve(results);
      };
      const counters = new TaskStatistics(options).of('any.thing');
      const collector = new BatchCollector(
        anything,
        { size, maxWaitMs: 0 },
        { executeBatch },
        new Admission(new Slots(2)),
        counters,
      );
      const ends = await Promise.allSettled(outcomes.map((_, index) => collector.add(attemptOf(index))));
      ends.forEach((end, index) => {
        if (outcomes[index]) expect(end).toEqual({ status: 'fulfilled', value: index });
        else expect(end).toMatchObject({ status: 'rejected', reason: { message: `${index}` } });
      });
      expect(Math.max(...sizes)).toBeLessThanOrEqual(size);
      expect(counters.batches).toBe(sizes.length);
    };
    const outcomes = fc.array(fc.boolean(), { minLength: 1, maxLength: 60 });
    await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 12 }), outcomes, run), { numRuns: 50 });
  });
});

describe('retry delays', () => {
  it('are whole, never negative, and never above the day', () => {
    const backoff = fc.record({
      type: fc.constantFrom('exponential' as const, 'fixed' as const),
      delayMs: fc.integer({ min: 0, max: 86_400_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      maxDelayMs: fc.constant(86_400_000),
    });
    fc.assert(
      fc.property(backoff, fc.integer({ min: 1, max: 100 }), (it, failed) => {
        const delayMs = retryDelayMs(it, failed, new Error('why'));
        expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= 86_400_000).toBe(true);
      }),
    );
  });
});

describe('payloads', () => {
  it('arrive as JSON would bring them', async () => {
    const run = async (value: unknown) => {
      const { text } = await encodePayload(anything, value, 1_000_000);
      expect(await decodePayload(anything, { text, schemaVersion: 1 })).toEqual(
        JSON.parse(JSON.stringify(value)),
      );
    };
    await fc.assert(fc.asyncProperty(fc.jsonValue(), run));
  });
});
