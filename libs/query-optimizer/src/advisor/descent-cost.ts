import { type PlanNode } from './plan-node.js';

/** DEFAULT_PAGE_CPU_MULTIPLIER of PostgreSQL's selfuncs.c: what a page on the way down costs, in operators. */
const OPERATORS_PER_PAGE = 50;
/** Entries of a page above the leaves. */
const FAN_OUT = 250;
const PAGE_BYTES = 8_192;

/**
 * What the plan leaves out of its cost: HypoPG gives its indexes no height, so that the way down from the root to a leaf is free,
 * and a new index seems to beat the very same index that is already there. It counts where an index is asked again and again, on
 * the inner side of a nested loop.
 *
 * @param sizeBytesOf size of a hypothetical b-tree, undefined for indexes that are really there
 * @param cpuOperatorCost the setting of that name
 */
export function missingDescentCost(
  plan: PlanNode,
  sizeBytesOf: (indexName: string) => number | undefined,
  cpuOperatorCost: number,
): number {
  const visit = (node: PlanNode, loops: number): number => {
    const sizeBytes = node['Index Name'] === undefined ? undefined : sizeBytesOf(node['Index Name']);
    const own = sizeBytes === undefined ? 0 : loops * (heightOf(sizeBytes) + 1) * OPERATORS_PER_PAGE;
    const share = sharedByLimit(node);
    return (node.Plans ?? []).reduce((sum, it) => sum + visit(it, loops * share * loopsOf(it, node)), own);
  };
  return visit(plan, 1) * cpuOperatorCost;
}

/** How often the planner expects a node to be run for one run of its parent. */
function loopsOf(node: PlanNode, parent: PlanNode): number {
  const relation = node['Parent Relationship'];
  const outer = parent.Plans?.find((it) => it['Parent Relationship'] === 'Outer');
  if (relation === 'SubPlan') return Math.max(1, parent['Plan Rows'], outer?.['Plan Rows'] ?? 1);
  const isRepeated = relation === 'Inner' && parent['Node Type'] === 'Nested Loop';
  return isRepeated && node['Node Type'] !== 'Materialize' ? Math.max(1, outer?.['Plan Rows'] ?? 1) : 1;
}

/** LIMIT stops its child early: the share of the child's cost that it pays. */
function sharedByLimit(node: PlanNode): number {
  const [child] = node.Plans ?? [];
  if (node['Node Type'] !== 'Limit' || child === undefined) return 1;
  const run = child['Total Cost'] - child['Startup Cost'];
  return run <= 0 ? 1 : Math.min(1, (node['Total Cost'] - child['Startup Cost']) / run);
}

/** Levels above the leaves. */
function heightOf(sizeBytes: number): number {
  const leaves = Math.max(1, sizeBytes / PAGE_BYTES);
  return leaves <= 1 ? 0 : Math.ceil(Math.log(leaves) / Math.log(FAN_OUT));
}
