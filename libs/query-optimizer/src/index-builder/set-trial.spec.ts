import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type WorkloadStatement } from '../advisor/advice.js';
import { type SetMember, SetTrial, type Stopwatch } from './set-trial.js';

const LIMITS = { minGain: 0.05, maxRegression: 0.3, toleratedRegression: 2, requireMeasurement: false };

/** One statement: what it takes with which indexes, the best plan that is possible coming last. */
interface Course {
  readonly id: string;
  readonly calls?: number;
  readonly beforeMs: number;
  readonly plans: readonly { readonly needs: readonly string[]; readonly ms: number }[];
}

/** Times that the planner's choices would have; a real server's depend on what else the machine does. */
async function judge(names: readonly string[], courses: readonly Course[], limits = LIMITS) {
  const present = new Set(names);
  const statements = courses.map((it): WorkloadStatement => ({
    id: it.id,
    text: it.id,
    calls: it.calls ?? 1,
    totalMs: 0,
  }));
  const planOf = ({ id }: WorkloadStatement) => {
    const course = courses.find((it) => it.id === id)!;
    const possible = course.plans.filter((it) => it.needs.every((name) => present.has(name)));
    return possible.at(-1) ?? { needs: [], ms: course.beforeMs };
  };
  const asked: string[] = [];
  const replay: Stopwatch = {
    time: (it) => {
      asked.push(it.id ?? '');
      return Promise.resolve({ ms: planOf(it).ms });
    },
    indexesOf: (it) => Promise.resolve(new Set(planOf(it).needs)),
  };
  const members = names.map((name): SetMember => ({
    plan: { id: name, indexName: name } as SetMember['plan'],
    statements,
    names: new Set([name]),
  }));
  const before = new Map(
    statements.map((it, i) => {
      const { id, beforeMs } = courses[i]!;
      return [it, { statement: id, calls: it.calls, beforeMs, afterMs: beforeMs }];
    }),
  );
  const totalMs = () => statements.reduce((sum, it) => sum + it.calls * planOf(it).ms, 0);
  const removals = new Map<string, { readonly withMs: number; readonly withoutMs: number }>();
  const verdicts = await SetTrial.judge(members, before, replay, limits, {
    drop: ({ plan }) => {
      const withMs = totalMs();
      present.delete(plan.indexName);
      removals.set(plan.indexName, { withMs, withoutMs: totalMs() });
      return Promise.resolve();
    },
    restore: ({ plan }) => {
      present.add(plan.indexName);
      removals.delete(plan.indexName);
      return Promise.resolve(null);
    },
  });
  const decisions = [...verdicts].map(([{ plan }, { keep, reason }]) => [plan.indexName, keep, reason]);
  return { kept: [...present].toSorted(), decisions, asked, totalMs: totalMs(), removals };
}

/** Up to four indexes, and statements whose plans need some of them and take any time. */
const workloads = fc.integer({ min: 1, max: 4 }).chain((count) => {
  const names = ['a', 'b', 'c', 'd'].slice(0, count);
  const ms = fc.integer({ min: 1, max: 1_000 });
  const plan = fc.record({ needs: fc.subarray(names, { minLength: 1 }), ms });
  const course = fc.record({
    calls: fc.integer({ min: 1, max: 20 }),
    beforeMs: ms,
    plans: fc.array(plan, { maxLength: 4 }),
  });
  const courses = fc
    .array(course, { minLength: 1, maxLength: 5 })
    .map((all) => all.map((it, i): Course => ({ id: `q${i}`, ...it })));
  return fc.record({ names: fc.constant(names), courses });
});
const beforeMs = (courses: readonly Course[]) =>
  courses.reduce((sum, it) => sum + (it.calls ?? 1) * it.beforeMs, 0);

describe('judging indexes together', () => {
  it('keeps indexes of which neither gains anything by itself', async () => {
    const { kept } = await judge(
      ['a', 'b'],
      [{ id: 'join', beforeMs: 100, plans: [{ needs: ['a', 'b'], ms: 1 }] }],
    );
    expect(kept).toEqual(['a', 'b']);
  });

  it('drops what no plan uses, and what gains too little', async () => {
    const { kept, decisions } = await judge(
      ['a', 'idle', 'weak'],
      [
        { id: 'one', beforeMs: 100, plans: [{ needs: ['a'], ms: 1 }] },
        { id: 'two', beforeMs: 100, plans: [{ needs: ['weak'], ms: 98 }] },
      ],
    );
    expect(kept).toEqual(['a']);
    expect(decisions).toContainEqual([
      'idle',
      false,
      'Dropped: beside the other indexes no statement uses it',
    ]);
    expect(decisions).toContainEqual([
      'weak',
      false,
      expect.stringContaining('2.0 % less time, and 5.0 % is asked for'),
    ]);
  });

  it('drops, of the indexes in the plan of a slower statement, the one that gains least elsewhere', async () => {
    const { kept, decisions } = await judge(
      ['a', 'b'],
      [
        { id: 'much', calls: 100, beforeMs: 50, plans: [{ needs: ['a'], ms: 1 }] },
        { id: 'some', calls: 10, beforeMs: 50, plans: [{ needs: ['b'], ms: 1 }] },
        { id: 'worse', beforeMs: 10, plans: [{ needs: ['a', 'b'], ms: 40 }] },
      ],
    );
    expect(kept).toEqual(['a']);
    expect(decisions).toContainEqual([
      'b',
      false,
      'Dropped: worse went from 10.00 ms to 40.00 ms, which is too much',
    ]);
  });

  it('measures what seems slower a second time, and leaves alone what is slower without an index', async () => {
    const { kept, asked } = await judge(
      ['a'],
      [
        { id: 'one', beforeMs: 100, plans: [{ needs: ['a'], ms: 1 }] },
        { id: 'busy', beforeMs: 10, plans: [{ needs: [], ms: 30 }] },
      ],
    );
    expect(kept).toEqual(['a']);
    expect(asked).toEqual(['one', 'busy', 'busy']);
  });

  it('measures again what an index served that was dropped: it may need another one now', async () => {
    const { kept } = await judge(
      ['a', 'b'],
      [
        { id: 'often', calls: 100, beforeMs: 50, plans: [{ needs: ['a'], ms: 30 }] },
        {
          id: 'choice',
          beforeMs: 60,
          plans: [
            { needs: ['a'], ms: 20 },
            { needs: ['b'], ms: 90 },
          ],
        },
      ],
    );
    expect(kept).toEqual(['a']);
  });

  it('keeps what saves more elsewhere than a statement loses, and names that statement', async () => {
    const { kept, decisions } = await judge(
      ['a'],
      [
        { id: 'q17', beforeMs: 6_800, plans: [{ needs: ['a'], ms: 130 }] },
        { id: 'q2', beforeMs: 100, plans: [{ needs: ['a'], ms: 180 }] },
      ],
    );
    expect(kept).toEqual(['a']);
    expect(decisions[0]?.[2]).toBe(
      'Kept: 2 statements, weighted by calls: 95.5 % less time. Tolerated, as the others gain more: q2 went from 100.00 ms to 180.00 ms',
    );
  });

  it('drops what loses more than it gains, weighted by calls', async () => {
    const { kept, decisions } = await judge(
      ['a'],
      [
        { id: 'rare', beforeMs: 500, plans: [{ needs: ['a'], ms: 10 }] },
        { id: 'often', calls: 100, beforeMs: 10, plans: [{ needs: ['a'], ms: 18 }] },
      ],
    );
    expect(kept).toEqual([]);
    expect(decisions[0]?.[2]).toContain('(often went from 10.00 ms to 18.00 ms)');
  });

  it('drops what slows a statement down beyond what is tolerated, whatever it gains elsewhere', async () => {
    const { kept, decisions } = await judge(
      ['a'],
      [
        { id: 'much', calls: 1_000, beforeMs: 500, plans: [{ needs: ['a'], ms: 10 }] },
        { id: 'worse', beforeMs: 10, plans: [{ needs: ['a'], ms: 31 }] },
      ],
    );
    expect(kept).toEqual([]);
    expect(decisions[0]?.[2]).toBe('Dropped: worse went from 10.00 ms to 31.00 ms, which is too much');
  });

  it('builds an index again that seemed to gain little and turns out to be needed', async () => {
    const { kept, decisions } = await judge(
      ['a', 'b'],
      [
        {
          id: 'join',
          beforeMs: 100,
          plans: [
            { needs: ['a'], ms: 900 },
            { needs: ['b'], ms: 900 },
            { needs: ['a', 'b'], ms: 97 },
          ],
        },
      ],
    );
    expect(kept).toEqual(['a', 'b']);
    expect(decisions).toContainEqual(['a', true, 'Kept: without it its statements take longer still']);
  });

  it('never ends with more time than without any index', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async ({ names, courses }) => {
        const { totalMs } = await judge(names, courses);
        expect(totalMs).toBeLessThanOrEqual(beforeMs(courses));
      }),
      { numRuns: 1_000 },
    );
  });

  it('never drops an index by which the workload loses time, unless a statement must not become so slow', async () => {
    const limits = { ...LIMITS, toleratedRegression: Infinity };
    await fc.assert(
      fc.asyncProperty(workloads, async ({ names, courses }) => {
        const { removals, decisions } = await judge(names, courses, limits);
        const together = decisions.filter(([, , reason]) => String(reason).includes('without any'));
        for (const [name, { withMs, withoutMs }] of removals) {
          // These had to go, so that all is not worse than before.
          if (together.some(([of]) => of === name)) continue;
          expect(withoutMs * (1 - LIMITS.minGain)).toBeLessThanOrEqual(withMs);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('never leaves a statement slower than is tolerated', async () => {
    await fc.assert(
      fc.asyncProperty(workloads, async ({ names, courses }) => {
        const { kept } = await judge(names, courses);
        for (const { beforeMs: was, plans } of courses) {
          const plan = plans.filter((it) => it.needs.every((name) => kept.includes(name))).at(-1);
          if (plan) expect(plan.ms).toBeLessThanOrEqual(was * 3);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
