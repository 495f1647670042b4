import { describe, expect, it } from '@jest/globals';
import { Slots } from './slots.js';

describe('slots', () => {
  it('admit the most urgent first, and equals in the order of arrival', async () => {
    const slots = new Slots(1);
    const releaseFirst = await slots.acquire(3);
    const admitted: string[] = [];
    const waiting = [5, 3, 1, 3].map(async (priority, index) => {
      const release = await slots.acquire(priority);
      admitted.push(`${priority}#${index}`);
      release();
    });
    releaseFirst();
    await Promise.all(waiting);
    expect(admitted).toEqual(['1#2', '3#1', '3#3', '5#0']);
  });

  it('forget a waiter that aborts', async () => {
    const slots = new Slots(1);
    const release = await slots.acquire(1);
    const abort = new AbortController();
    const waiting = slots.acquire(1, abort.signal);
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    release();
    await expect(slots.acquire(1)).resolves.toBeInstanceOf(Function);
  });

  it('give all slots to one that is alone, when it is its turn, and let more urgent ones pass before', async () => {
    const slots = new Slots(2);
    const releaseFirst = await slots.acquire(5);
    const order: string[] = [];
    const enter = async (name: string, priority: number, alone = false) => {
      const release = await slots.acquire(priority, undefined, alone);
      order.push(name);
      return release;
    };
    const alone = enter('alone', 5, true);
    const less = enter('less urgent', 6);
    const urgent = await enter('urgent', 1);
    expect(order).toEqual(['urgent']);
    urgent();
    releaseFirst();
    const releaseAlone = await alone;
    const later = enter('later', 1);
    await Promise.resolve();
    expect(order).toEqual(['urgent', 'alone']);
    releaseAlone();
    await Promise.all([less, later]);
    expect(order).toEqual(['urgent', 'alone', 'later', 'less urgent']);
  });

  it('go on when one that waits for all of them aborts', async () => {
    const slots = new Slots(2);
    await slots.acquire(5);
    const abort = new AbortController();
    const alone = slots.acquire(1, abort.signal, true);
    const behind = slots.acquire(2);
    abort.abort(new Error('gone'));
    await expect(alone).rejects.toThrow('gone');
    await expect(behind).resolves.toBeInstanceOf(Function);
  });
});
