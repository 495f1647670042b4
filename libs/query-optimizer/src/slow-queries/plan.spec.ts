import { describe, expect, it } from '@jest/globals';
import { type Explanation, planOf } from './plan.js';

type Node = Explanation['Plan'];

const scan = (table: string, more: Partial<Node> = {}): Node => ({
  'Node Type': 'Seq Scan',
  'Relation Name': table,
  Alias: table,
  'Total Cost': 10,
  ...more,
});
const hash = (plan: Node) => planOf({ Plan: plan }).hash;

describe('planOf', () => {
  it('takes plans of one structure for one, whatever they cost', () => {
    expect(hash(scan('file'))).toBe(hash(scan('file', { 'Total Cost': 99, 'Shared Hit Blocks': 5 })));
    expect(hash(scan('file'))).not.toBe(hash(scan('folder')));
    expect(hash(scan('file'))).not.toBe(hash(scan('file', { 'Node Type': 'Index Scan', 'Index Name': 'i' })));
    const join = (type: string): Node => ({
      'Node Type': 'Hash Join',
      'Join Type': type,
      Plans: [scan('a'), scan('b')],
    });
    expect(hash(join('Inner'))).not.toBe(hash(join('Left')));
  });

  it('does not mind how many partitions are read', () => {
    const append = (...parts: string[]): Node => ({
      'Node Type': 'Append',
      Plans: parts.map((it) => scan(it, { 'Parent Relationship': 'Member' })),
    });
    expect(hash(append('event_1', 'event_2'))).toBe(hash(append('event_2', 'event_3', 'event_4')));
  });

  it('writes an outline for a reader', () => {
    const { outline, executionMs, buffers } = planOf({
      Plan: {
        'Node Type': 'Aggregate',
        Strategy: 'Hashed',
        'Shared Hit Blocks': 3,
        'Shared Read Blocks': 4,
        Plans: [
          {
            ...scan('file'),
            'Node Type': 'Index Scan',
            'Index Name': 'by_name',
            Alias: 'f',
            'Scan Direction': 'Backward',
          },
          { 'Node Type': 'Result', 'Parent Relationship': 'SubPlan' },
        ],
      },
      'Execution Time': 1.5,
    });
    expect(outline).toBe(
      'Hashed Aggregate\n  Index Scan Backward using by_name on file f\n  SubPlan: Result',
    );
    expect(executionMs).toBe(1.5);
    expect(buffers).toEqual({ hitBlocks: 3, readBlocks: 4, tempWrittenBlocks: 0 });
  });

  describe('says what each line costs by itself', () => {
    const costs = (plan: Node) => {
      const { outline, nodeCosts, totalCost } = planOf({ Plan: plan });
      expect(nodeCosts).toHaveLength(outline.split('\n').length);
      expect(nodeCosts.reduce((sum, it) => sum + it, 0)).toBeCloseTo(totalCost);
      return nodeCosts;
    };

    it('without what is below it', () => {
      expect(
        costs({ 'Node Type': 'Sort', 'Total Cost': 130, Plans: [scan('a', { 'Total Cost': 100 })] }),
      ).toEqual([30, 100]);
    });

    it('for each loop of the inner side, unless what it read is kept', () => {
      const loop = (inner: Partial<Node>): Node => ({
        'Node Type': 'Nested Loop',
        'Total Cost': 1_000,
        Plans: [
          scan('a', { 'Total Cost': 100, 'Plan Rows': 80 }),
          scan('b', { 'Parent Relationship': 'Inner', 'Total Cost': 10, ...inner }),
        ],
      });
      expect(costs(loop({}))).toEqual([100, 100, 800]);
      expect(costs(loop({ 'Actual Loops': 40 }))).toEqual([500, 100, 400]);
      expect(costs(loop({ 'Node Type': 'Materialize' }))).toEqual([890, 100, 10]);
    });

    it('below a LIMIT as much as is run of it, and for all partitions together', () => {
      const parts = ['p1', 'p2'].map((it) => scan(it, { 'Parent Relationship': 'Member', 'Total Cost': 50 }));
      const append: Node = { 'Node Type': 'Append', 'Total Cost': 100, Plans: parts };
      expect(costs({ 'Node Type': 'Limit', 'Total Cost': 10, Plans: [append] })).toEqual([0, 0, 10]);
    });
  });
});
