import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { QUERY_PRIORITIES, type QueryPriority } from './query-priority.js';
import { type Waiter, WaitingLine } from './waiting-line.js';

const SLACK = { high: 0, normal: 250, low: 1_000 };

const priority = fc.constantFrom(...QUERY_PRIORITIES);
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), priority, after: fc.nat(500) }),
  fc.record({ kind: fc.constant('take' as const), onlyHigh: fc.boolean() }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat(20) }),
  fc.record({ kind: fc.constant('evict' as const), priority }),
);

describe('WaitingLine', () => {
  it('serves whoever is due first, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const line = new WaitingLine(SLACK);
        let model: Waiter[] = [];
        let now = 0;
        const due = (it: Waiter) => it.since + SLACK[it.priority];
        const drop = (gone: Waiter | undefined) => (model = model.filter((it) => it !== gone));
        for (const it of steps) {
          if (it.kind === 'add') {
            now += it.after;
            const waiter = { priority: it.priority, since: now };
            model.push(waiter);
            line.add(waiter);
          } else if (it.kind === 'take') {
            const taken = line.take(it.onlyHigh);
            const eligible = model.filter((one) => !it.onlyHigh || one.priority === 'high');
            expect(taken === undefined).toBe(eligible.length === 0);
            if (taken) expect(due(taken)).toBe(Math.min(...eligible.map(due)));
            drop(taken);
          } else if (it.kind === 'leave') {
            const one = model[it.which];
            if (one) expect(line.remove(one)).toBe(true);
            drop(one);
          } else {
            const gone = line.takeLessUrgentThan(it.priority);
            const worse = model.filter((one) => rank(one.priority) > rank(it.priority));
            const worst = Math.max(...worse.map((one) => rank(one.priority)));
            expect(gone).toBe(worse.filter((one) => rank(one.priority) === worst).at(-1));
            drop(gone);
          }
          expect(line.size).toBe(model.length);
          expect(line.oldest).toBe(model.length > 0 ? Math.min(...model.map((one) => one.since)) : undefined);
        }
      }),
    );
  });
});

function rank(of: QueryPriority): number {
  return QUERY_PRIORITIES.indexOf(of);
}
