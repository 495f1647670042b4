import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { MetricsOptionsError } from '../metrics.errors.js';
import { type MemoryConsumer } from './memory-consumer.js';
import { MemoryManager } from './memory-manager.js';
import { type MemoryManagerOptionsInput } from './memory-manager.options.js';

const LIMIT = 1_000;

/** A manager whose memory and clock are moved by hand; the figures are those of a process without garbage. */
function makeManager(options: MemoryManagerOptionsInput = {}) {
  const process = { rss: 0.5, heap: 0.5, garbage: 0, nowMs: 0, collections: 0 };
  const heap = { collectedAtMs: undefined as number | undefined, bytes: undefined, read: () => undefined };
  const manager = new MemoryManager(options, {
    now: () => process.nowMs,
    reader: {
      heap: heap as never,
      refresh: () => Promise.resolve(),
      stop: () => undefined,
      read: () => ({
        rssBytes: process.rss * LIMIT,
        limitBytes: LIMIT,
        rssRatio: process.rss,
        heapBytes: process.heap * LIMIT,
        heapUsedBytes: (process.heap + process.garbage) * LIMIT,
        heapLimitBytes: LIMIT,
        heapRatio: process.heap,
      }),
    },
    collectGarbage: () => {
      process.collections++;
      process.garbage = 0;
    },
  });
  const shares: number[] = [];
  const consumer: MemoryConsumer = { name: 'cache', limit: (share) => (shares.push(share), 10) };
  manager.register(consumer);
  const shedding: boolean[] = [];
  manager.onShedding((it) => void shedding.push(it));
  /** Looks once a second for so long. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      process.nowMs += 1_000;
      await manager.look();
    }
  };
  const figure = (name: string, label?: string) =>
    manager
      .collect()
      .find((it) => it.name === name)
      ?.samples.find((it) => label === undefined || Object.values(it.labels ?? {}).includes(label))?.value;
  return { manager, process, shares, shedding, pass, figure };
}

describe('MemoryManager', () => {
  const lines: string[] = [];
  beforeEach(() => {
    Logger.overrideLogger({
      log: (line: string) => void lines.push(line),
      warn: (line: string) => void lines.push(line),
      error: (line: string) => void lines.push(line),
    });
  });
  afterEach(() => {
    lines.length = 0;
    Logger.overrideLogger(false);
  });

  it('halves at 85 %, empties and sheds at 90 %, and gives budgets back a tenth at a time', async () => {
    const { manager, process, shares, shedding, pass, figure } = makeManager();
    process.heap = 0.86;
    await pass(1);
    expect({ shares, shedding, level: manager.state.level }).toEqual({
      shares: [0.5],
      shedding: [],
      level: 'trim',
    });
    process.rss = 0.91;
    await pass(1);
    expect({ shares, shedding, isShedding: manager.isShedding }).toEqual({
      shares: [0.5, 0],
      shedding: [true],
      isShedding: true,
    });
    process.rss = process.heap = 0.5;
    await pass(700);
    expect(shedding).toEqual([true, false]);
    expect(shares.slice(2)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(manager.state).toMatchObject({ level: 'normal', budgetShare: 1 });
    expect(figure('memory_actions_total', 'trim')).toBe(1);
    expect(figure('memory_actions_total', 'clear')).toBe(1);
    expect(figure('memory_actions_total', 'grow')).toBe(10);
    expect(figure('memory_freed_bytes_total', 'cache')).toBe(120);
    expect(figure('memory_pressure_level')).toBe(0);
  });

  it('tells each change of level once, with figures', async () => {
    const { process, pass } = makeManager();
    process.heap = 0.92;
    await pass(20);
    process.heap = 0.5;
    await pass(60);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /refused \(normal -> shed\): RSS .* \(50\.0 %\), live heap .* \(92\.0 %\); given back: cache/,
    );
    expect(lines[2]).toContain('(trim -> normal)');
  });

  it('grows no budget while memory is near its mark, whatever the level', async () => {
    const { process, shares, pass } = makeManager();
    process.heap = 0.86;
    await pass(1);
    process.heap = 0.76;
    await pass(300);
    expect(shares).toEqual([0.5]);
  });

  it('stops growing below the share that was too much, for ten minutes', async () => {
    const { process, manager, pass } = makeManager();
    for (let round = 0; round < 2; round++) {
      process.heap = 0.86;
      await pass(1);
      process.heap = 0.5;
      await pass(500);
    }
    // Four fifths of four fifths.
    expect(manager.state.budgetShare).toBe(0.64);
    await pass(200);
    expect(manager.state.budgetShare).toBe(1);
  });

  it('collects garbage under pressure, and to tell it from a full heap', async () => {
    const { process, manager, pass } = makeManager();
    process.garbage = 0.45;
    await pass(1);
    expect(process.collections).toBe(1);
    await pass(100);
    expect(process.collections).toBe(1);
    expect(manager.state.level).toBe('normal');
    process.rss = 0.86;
    await pass(100);
    expect(process.collections).toBe(11);
  });

  it('goes on when a consumer fails, and counts it', async () => {
    const { manager, process, shares, pass, figure } = makeManager();
    const limit = jest.fn((_share: number) => Promise.reject(new Error('no')));
    manager.register({ name: 'broken', limit });
    manager.onShedding(() => Promise.reject(new Error('no')));
    process.heap = 0.95;
    await pass(1);
    expect(limit).toHaveBeenCalledWith(0);
    expect(shares).toEqual([0]);
    expect(figure('memory_consumer_failures_total', 'broken')).toBe(1);
    expect(figure('memory_consumer_failures_total', 'listener')).toBe(1);
  });

  it('keeps within its shares for any memory: never more than the level allows, never a jump upwards', async () => {
    const ratio = fc.double({ min: 0, max: 1, noNaN: true });
    await fc.assert(
      fc.asyncProperty(fc.array(ratio, { minLength: 1, maxLength: 100 }), async (ratios) => {
        const { manager, process, pass } = makeManager();
        let before = 1;
        for (const it of ratios) {
          process.heap = it;
          await pass(1);
          const { level, budgetShare } = manager.state;
          expect(budgetShare).toBeLessThanOrEqual({ normal: 1, trim: 0.5, shed: 0 }[level]);
          expect(budgetShare - before).toBeLessThanOrEqual(0.1 + 1e-9);
          before = budgetShare;
        }
      }),
    );
  });

  it('takes a name once, and options that make sense', () => {
    const { manager } = makeManager();
    expect(() => manager.register({ name: 'cache', limit: () => 0 })).toThrow(
      expect.objectContaining({ code: 'METRICS_CONSUMER_NAME' }),
    );
    expect(() => new MemoryManager({ trimRatio: 0.9, shedRatio: 0.85 })).toThrow(MetricsOptionsError);
  });

  it('reads this very process', async () => {
    const manager = new MemoryManager();
    await manager.look();
    const { rssRatio, heapRatio, level } = manager.state;
    manager.stop();
    expect(rssRatio).toBeGreaterThan(0);
    expect(heapRatio).toBeGreaterThan(0);
    expect(['normal', 'trim', 'shed']).toContain(level);
  });
});
