import { expect, it } from '@jest/globals';
import { planNodes } from './plan-nodes.js';

const outline = 'Limit\n  Nested Loop\n    Seq Scan on file\n    Index Scan using a on b\n  SubPlan: Result';

it('makes a tree of an outline, and marks the node that costs most by itself', () => {
  const [limit, ...others] = planNodes({ outline, nodeCosts: [0, 10, 70, 15, 5] });
  expect(others).toEqual([]);
  expect(limit?.children.map(({ text }) => text)).toEqual(['Nested Loop', 'SubPlan: Result']);
  const [loop] = limit?.children ?? [];
  expect(loop?.children).toMatchObject([
    { text: 'Seq Scan on file', share: 0.7, isCostly: true, children: [] },
    { text: 'Index Scan using a on b', share: 0.15, isCostly: false },
  ]);
});

it('marks none where no node stands out, or where the costs are not known', () => {
  const even = planNodes({ outline, nodeCosts: [20, 20, 20, 20, 20] });
  expect(JSON.stringify(even)).not.toContain('"isCostly":true');
  const [unknown] = planNodes({ outline, nodeCosts: null });
  expect(unknown).toMatchObject({ share: null, isCostly: false });
});
