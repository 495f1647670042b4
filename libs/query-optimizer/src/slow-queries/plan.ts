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
  /** Null without ANALYZE. */
  readonly executionMs: number | null;
  readonly buffers: PlanBuffers | null;
}

const MAX_OUTLINE_LENGTH = 4_096;

/** Of the rows that EXPLAIN (FORMAT JSON) answers with. */
export function planFrom(rows: readonly Readonly<Record<string, unknown>>[]): Plan {
  const [explanation] = rows[0]?.['QUERY PLAN'] as readonly Explanation[];
  if (!explanation) throw new TypeError('EXPLAIN gave no plan');
  return planOf(explanation);
}

export function planOf(explanation: Explanation): Plan {
  const root = explanation.Plan;
  const outline = outlineOf(root, '').join('\n');
  const executionMs = explanation['Execution Time'] ?? null;
  return {
    hash: createHash('sha256').update(outline).digest('hex').slice(0, 16),
    outline: outline.length > MAX_OUTLINE_LENGTH ? `${outline.slice(0, MAX_OUTLINE_LENGTH - 1)}…` : outline,
    totalCost: root['Total Cost'] ?? 0,
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

/**
 * How many partitions an Append reads depends on the parameters, not on the plan: its parts count once for each shape,
 * without their names.
 */
function outlineOf(node: PlanNode, indent: string, isNamed = true): string[] {
  const children = node.Plans ?? [];
  const isAppend = node['Node Type'] === 'Append' || node['Node Type'] === 'Merge Append';
  const parts = children.map((it) =>
    outlineOf(it, `${indent}  `, isNamed && !(isAppend && isMember(it))).join('\n'),
  );
  return [indent + describe(node, isNamed), ...(isAppend ? new Set(parts) : parts)];
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
