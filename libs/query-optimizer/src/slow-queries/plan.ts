import { createHash } from 'node:crypto';

/** A node of EXPLAIN (FORMAT JSON), as far as its shape goes. */
interface PlanNode {
  readonly 'Node Type'?: string;
  readonly 'Parent Relationship'?: string;
  readonly 'Relation Name'?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly 'CTE Name'?: string;
  readonly 'Function Name'?: string;
  readonly 'Join Type'?: string;
  readonly Strategy?: string;
  readonly 'Partial Mode'?: string;
  readonly Operation?: string;
  readonly Command?: string;
  readonly 'Scan Direction'?: string;
  readonly 'Parallel Aware'?: boolean;
  readonly 'Total Cost'?: number;
  /** As estimated. */
  readonly 'Plan Rows'?: number;
  /** With ANALYZE only. */
  readonly 'Actual Loops'?: number;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly 'Temp Written Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** What EXPLAIN (FORMAT JSON) answers. */
export interface Explanation {
  readonly Plan: PlanNode;
  /** Milliseconds; with ANALYZE only. */
  readonly 'Execution Time'?: number;
}

/** Blocks of 8 KiB. */
export interface PlanBuffers {
  readonly hitBlocks: number;
  readonly readBlocks: number;
  /** Of sorts and hashes that did not fit into `work_mem`. */
  readonly tempWrittenBlocks: number;
}

/** One plan of a statement, as PostgreSQL explained it. */
export interface Plan {
  /** Equal for plans of the same structure: nodes, joins, tables, indexes. Costs, rows and constants do not count. */
  readonly hash: string;
  /** The structure for a reader: a line for each node, indented. */
  readonly outline: string;
  readonly totalCost: number;
  /** What each line of the outline costs by itself, without the lines below it; together the `totalCost`. */
  readonly nodeCosts: readonly number[];
  /** Null without ANALYZE. */
  readonly executionMs: number | null;
  readonly buffers: PlanBuffers | null;
}

const MAX_OUTLINE_LENGTH = 4_096;
/** Nodes that keep what they have read for the next loop. */
const KEPT: ReadonlySet<string> = new Set(['Materialize', 'Memoize']);

/** Of the rows that EXPLAIN (FORMAT JSON) answers with. */
export function planFrom(rows: readonly Readonly<Record<string, unknown>>[]): Plan {
  const [explanation] = rows[0]?.['QUERY PLAN'] as readonly Explanation[];
  if (!explanation) throw new TypeError('EXPLAIN gave no plan');
  return planOf(explanation);
}

export function planOf(explanation: Explanation): Plan {
  const root = explanation.Plan;
  const totalCost = root['Total Cost'] ?? 0;
  const lines = linesOf(root, totalCost);
  const outline = lines.map(({ text }) => text).join('\n');
  const executionMs = explanation['Execution Time'] ?? null;
  return {
    hash: createHash('sha256').update(outline).digest('hex').slice(0, 16),
    outline: outline.length > MAX_OUTLINE_LENGTH ? `${outline.slice(0, MAX_OUTLINE_LENGTH - 1)}…` : outline,
    totalCost,
    nodeCosts: lines.map(({ cost }) => cost),
    executionMs,
    buffers:
      executionMs === null
        ? null
        : {
            hitBlocks: root['Shared Hit Blocks'] ?? 0,
            readBlocks: root['Shared Read Blocks'] ?? 0,
            tempWrittenBlocks: root['Temp Written Blocks'] ?? 0,
          },
  };
}

/** A line of the outline. */
interface Line {
  readonly text: string;
  readonly cost: number;
}

/**
 * How many partitions an Append reads depends on the parameters, not on the plan: its parts count once for each shape,
 * without their names.
 *
 * @param cost of the node with all below it, so often as it is run
 */
function linesOf(node: PlanNode, cost: number, indent = '', isNamed = true): Line[] {
  const children = node.Plans ?? [];
  const isAppend = isAppendNode(node);
  const shares = childCosts(node, cost);
  const parts = children.map((it, index) =>
    linesOf(it, shares[index] ?? 0, `${indent}  `, isNamed && !(isAppend && isMember(it))),
  );
  const own = Math.max(0, cost - shares.reduce((sum, it) => sum + it, 0));
  return [
    { text: indent + describe(node, isNamed), cost: own },
    ...(isAppend ? mergedByShape(parts) : parts).flat(),
  ];
}

/**
 * What of a node's cost is that of its children. A child's estimate is for one run to its end: the inner side of a loop is
 * run for each row of the outer one, and below a LIMIT nothing is run to its end.
 */
function childCosts(node: PlanNode, cost: number): number[] {
  const children = node.Plans ?? [];
  const [outer] = children;
  const loops = (child: PlanNode) => {
    if (node['Node Type'] !== 'Nested Loop' || child['Parent Relationship'] !== 'Inner') return 1;
    // A scan that is kept costs once.
    if (KEPT.has(child['Node Type'] ?? '')) return 1;
    return Math.max(1, child['Actual Loops'] ?? outer?.['Plan Rows'] ?? 1);
  };
  const costs = children.map((it) => (it['Total Cost'] ?? 0) * loops(it));
  const sum = costs.reduce((total, it) => total + it, 0);
  return sum <= cost ? costs : costs.map((it) => (it * cost) / sum);
}

function mergedByShape(parts: readonly Line[][]): Line[][] {
  const merged = new Map<string, Line[]>();
  for (const part of parts) {
    const shape = part.map(({ text }) => text).join('\n');
    const known = merged.get(shape);
    const add = ({ text, cost }: Line, index: number) => ({ text, cost: cost + (known?.[index]?.cost ?? 0) });
    merged.set(shape, part.map(add));
  }
  return [...merged.values()];
}

function isAppendNode(node: PlanNode): boolean {
  return node['Node Type'] === 'Append' || node['Node Type'] === 'Merge Append';
}

function isMember(child: PlanNode): boolean {
  return child['Parent Relationship'] === 'Member';
}

function describe(node: PlanNode, isNamed: boolean): string {
  const role = node['Parent Relationship'] ?? '';
  const name = node['Relation Name'] ?? node['CTE Name'] ?? node['Function Name'];
  const alias = node.Alias !== undefined && node.Alias !== name ? ` ${node.Alias}` : '';
  return [
    role === 'InitPlan' || role === 'SubPlan' ? `${role}:` : '',
    node['Parallel Aware'] ? 'Parallel' : '',
    node['Partial Mode'] && node['Partial Mode'] !== 'Simple' ? node['Partial Mode'] : '',
    node.Strategy && node.Strategy !== 'Plain' ? node.Strategy : '',
    node.Operation ?? node.Command ?? '',
    node['Node Type'] ?? 'Unknown',
    node['Join Type'] && node['Join Type'] !== 'Inner' ? node['Join Type'] : '',
    node['Scan Direction'] === 'Backward' ? 'Backward' : '',
    isNamed && node['Index Name'] !== undefined ? `using ${node['Index Name']}` : '',
    isNamed && name !== undefined ? `on ${name}${alias}` : '',
  ]
    .filter((it) => it !== '')
    .join(' ');
}
