import { describe, expect, it } from '@jest/globals';
import { InvalidScheduleError } from '../task-queue.errors.js';
import { Cron } from './cron.js';
import { dueTicks, type MissedTicks } from './due-ticks.js';

const at = (text: string) => Date.parse(text);
const iso = (ticks: readonly number[]) => ticks.map((it) => new Date(it).toISOString().slice(11, 19));

describe('a cron expression', () => {
  it('follows its time zone over a change of the clocks', () => {
    const cron = new Cron('n', '30 9 * * *', 'Europe/Berlin');
    expect(cron.nextAfter(at('2026-03-28T12:00:00Z'))).toBe(at('2026-03-29T07:30:00Z'));
    expect(cron.nextAfter(at('2026-10-25T12:00:00Z'))).toBe(at('2026-10-26T08:30:00Z'));
  });

  it('never gives the same tick twice', () => {
    const cron = new Cron('n', '0 * * * *', 'UTC');
    const tick = at('2026-01-01T10:00:00Z');
    expect(cron.nextAfter(tick)).toBe(at('2026-01-01T11:00:00Z'));
    expect(cron.lastBetween(tick, tick, 5)).toEqual([tick]);
  });

  it.each(['0 0 30 2 *', '0 0 31 4 *', '60 * * * *', '', '@daily', '* * * *'])(
    'that reads %j is refused',
    (text) => {
      expect(() => new Cron('n', text, 'UTC')).toThrow(InvalidScheduleError);
    },
  );
});

describe('the ticks that are due', () => {
  const minutely = new Cron('n', '* * * * *', 'UTC');
  const due = (missed: MissedTicks, nextAt: string, now: string, catchUpLimit = 100) =>
    iso(dueTicks({ cron: minutely, nextAt: at(nextAt), now: at(now), missed, catchUpLimit }));

  it.each(['skip', 'once', 'catch-up'] as const)('are run while they are fresh, with %s', (missed) => {
    expect(due(missed, '2026-01-01T10:00:00Z', '2026-01-01T10:00:09Z')).toEqual(['10:00:00']);
  });

  it('are left out, run once, or run each, when they were missed', () => {
    const [nextAt, now] = ['2026-01-01T10:00:00Z', '2026-01-01T10:03:30Z'];
    expect(due('skip', nextAt, now)).toEqual([]);
    expect(due('once', nextAt, now)).toEqual(['10:03:00']);
    expect(due('catch-up', nextAt, now)).toEqual(['10:00:00', '10:01:00', '10:02:00', '10:03:00']);
    expect(due('catch-up', nextAt, now, 2)).toEqual(['10:02:00', '10:03:00']);
  });

  it('let a fresh one stand for those that were missed before it', () => {
    const [nextAt, now] = ['2026-01-01T10:00:00Z', '2026-01-01T10:03:05Z'];
    expect(due('skip', nextAt, now)).toEqual(['10:03:00']);
    expect(due('once', nextAt, now)).toEqual(['10:03:00']);
    expect(due('catch-up', nextAt, now, 1)).toEqual(['10:02:00', '10:03:00']);
  });

  it('are all found with one a second', () => {
    const cron = new Cron('n', '* * * * * *', 'UTC');
    const now = at('2026-01-01T10:00:09Z');
    const nextAt = now - 9_000;
    expect(dueTicks({ cron, nextAt, now, missed: 'skip', catchUpLimit: 1 })).toHaveLength(10);
  });
});
