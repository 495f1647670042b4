import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { TASK_PRIORITIES } from '../src/index.js';
import { TaskDeadlines, TICK_MS } from '../src/queue/task-deadlines.js';
import { parseTaskQueueOptions } from '../src/task-queue.options.js';

jest.setTimeout(60_000);

const DAY_MS = 86_400_000;
const { priorities } = parseTaskQueueOptions({ backend: { type: 'inline' }, tasks: [] });
const deadlines = new TaskDeadlines(priorities);
const plannedMs = (index: number) => priorities[TASK_PRIORITIES[index]!].maxWaitMs * 0.75;

/** As the store does it. */
function rebased(number: number, now: number): number {
  const { highest, shift } = deadlines.rebase(now);
  if (number <= highest) return number;
  return number > shift ? Math.min(number - shift, highest) : highest;
}

const instant = fc.integer({ min: 1.7e12, max: 4e12 });
const priorityIndex = fc.integer({ min: 0, max: TASK_PRIORITIES.length - 1 });

describe('the number of a task in the store', () => {
  it('is whole, above 0, and below the largest that BullMQ takes', () => {
    const patient = new TaskDeadlines({ ...priorities, BATCH: { maxWaitMs: 43_200_000 } });
    fc.assert(
      fc.property(instant, priorityIndex, (at, index) => {
        const number = patient.numberOf(TASK_PRIORITIES[index]!, at);
        expect(Number.isInteger(number) && number > 0 && number <= 2_097_151).toBe(true);
      }),
    );
  });

  it('tells the deadline', () => {
    fc.assert(
      fc.property(instant, priorityIndex, (at, index) => {
        const deadline = deadlines.deadlineOf(deadlines.numberOf(TASK_PRIORITIES[index]!, at), at);
        expect(Math.abs(deadline - at - plannedMs(index))).toBeLessThanOrEqual(2 * TICK_MS);
      }),
    );
  });

  it('orders by deadline whatever is up to 12 hours old, also over the end of a window', () => {
    const age = fc.integer({ min: 0, max: DAY_MS / 2 });
    fc.assert(
      fc.property(instant, age, age, priorityIndex, priorityIndex, (now, oneAge, otherAge, one, other) => {
        const numberNow = (of: number, ageMs: number) =>
          rebased(deadlines.numberOf(TASK_PRIORITIES[of]!, now - ageMs), now);
        const difference = plannedMs(one) - oneAge - (plannedMs(other) - otherAge);
        if (Math.abs(difference) <= 2 * TICK_MS) return;
        expect(Math.sign(numberNow(one, oneAge) - numberNow(other, otherAge))).toBe(Math.sign(difference));
      }),
      { numRuns: 2_000 },
    );
  });

  it('holds no task back for longer than the most patient class, however old or ahead of its time', () => {
    const off = fc.integer({ min: -DAY_MS, max: 30 * DAY_MS });
    fc.assert(
      fc.property(instant, off, priorityIndex, (now, ageMs, index) => {
        const number = rebased(deadlines.numberOf(TASK_PRIORITIES[index]!, now - ageMs), now);
        const waitMs = deadlines.deadlineOf(number, now) - now;
        expect(waitMs).toBeLessThanOrEqual(plannedMs(4) + 60_000 + 2 * TICK_MS);
      }),
      { numRuns: 2_000 },
    );
  });
});
