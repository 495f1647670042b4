import { describe, expect, it } from '@jest/globals';
import { type WorkloadStatement } from '../advisor/advice.js';
import { type SetMember, SetTrial, type Stopwatch } from './set-trial.js';

const LIMITS = { minGain: 0.05, maxRegression: 0.3, requireMeasurement: false };

/** One statement: what it takes with which indexes, the best plan that is possible coming last. */
interface Course {
  readonly id: string;
  readonly calls?: number;
  readonly beforeMs: number;
  readonly plans: readonly { readonly needs: readonly string[]; readonly ms: number }[];
}

/** Times that the planner's choices would have; a real server's depend on what else the machine does. */
async function judge(names: readonly string[], courses: readonly Course[]) {
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
  const before = statements.map((it, i) => {
    const { id, beforeMs } = courses[i]!;
    return [it, { statement: id, calls: it.calls, beforeMs, afterMs: beforeMs }] as const;
  });
  const verdicts = await SetTrial.judge(members, before, replay, LIMITS, ({ plan }) => {
    present.delete(plan.indexName);
    return Promise.resolve();
  });
  const decisions = [...verdicts].map(([{ plan }, { keep, reason }]) => [plan.indexName, keep, reason]);
  return { kept: [...present], decisions, asked };
}

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
});
