import type { PlanFigures } from '../../contract/query-figures.js';

/** A node of a plan with those below it. */
export interface PlanNode {
  readonly text: string;
  /** Of the whole plan's cost, 0 to 1; null when it is not known. */
  readonly share: number | null;
  readonly isCostly: boolean;
  readonly children: PlanNode[];
}

/** Below it no node stands out: the plan is even. */
const COSTLY_SHARE = 0.3;

/** The outline as a tree; the node that costs most by itself is marked. */
export function planNodes({ outline, nodeCosts }: Pick<PlanFigures, 'outline' | 'nodeCosts'>): PlanNode[] {
  const lines = outline.split('\n');
  const total = nodeCosts?.reduce((sum, it) => sum + it, 0) ?? 0;
  const shares = lines.map((_, index) => (total > 0 ? (nodeCosts?.[index] ?? 0) / total : null));
  const highest = Math.max(COSTLY_SHARE, ...shares.map((it) => it ?? 0));
  const roots: PlanNode[] = [];
  const path: PlanNode[] = [];
  lines.forEach((line, index) => {
    const text = line.trimStart();
    const depth = (line.length - text.length) / 2;
    const share = shares[index] ?? null;
    const node = { text, share, isCostly: share !== null && share >= highest, children: [] };
    (path[depth - 1]?.children ?? roots).push(node);
    path.length = depth;
    path[depth] = node;
  });
  return roots;
}
