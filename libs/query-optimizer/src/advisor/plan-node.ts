/** A node of `EXPLAIN (VERBOSE, FORMAT JSON)`, with the fields that the advisor reads. */
export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Startup Cost': number;
  readonly 'Total Cost': number;
  readonly 'Plan Rows': number;
  readonly 'Relation Name'?: string;
  readonly Schema?: string;
  readonly Alias?: string;
  readonly 'Index Name'?: string;
  readonly Output?: readonly string[];
  readonly Plans?: readonly PlanNode[];
  readonly [field: string]: unknown;
}

/** The node itself and all below, from the top. */
export function* nodesOf(plan: PlanNode): Generator<PlanNode> {
  yield plan;
  for (const it of plan.Plans ?? []) yield* nodesOf(it);
}

/** Names of the indexes that the plan reads. */
export function usedIndexNames(plan: PlanNode): ReadonlySet<string> {
  const names = new Set<string>();
  for (const it of nodesOf(plan)) if (it['Index Name'] !== undefined) names.add(it['Index Name']);
  return names;
}

const CONDITION_FIELDS = [
  'Filter',
  'Index Cond',
  'Recheck Cond',
  'Hash Cond',
  'Merge Cond',
  'Join Filter',
  'One-Time Filter',
];

/** Conditions of the node, as PostgreSQL writes them: columns qualified with aliases, types explicit. */
export function conditionsOf(node: PlanNode): string[] {
  return CONDITION_FIELDS.flatMap((it) => {
    const text = node[it];
    return typeof text === 'string' ? [text] : [];
  });
}

/** Sort or group keys in order, with ` DESC` and ` NULLS …`. */
export function keysOf(node: PlanNode): readonly string[] {
  const keys = node['Sort Key'] ?? node['Group Key'];
  return Array.isArray(keys) ? keys.filter((it) => typeof it === 'string') : [];
}
