/** Splits from the root of a tree to a leaf. */
export const TREE_DEPTH = 3;
export const TREE_LEAVES = 1 << TREE_DEPTH;

/**
 * A sum of oblivious trees (Prokhorenkova et al., CatBoost, NeurIPS 2018): all nodes of a level ask the same question, so a leaf is found by
 * three comparisons without a jump. Flat arrays: per tree three splits, the root first, and eight leaves.
 */
export interface Trees {
  readonly base: number;
  /** Which feature each split looks at. */
  readonly features: Uint8Array;
  /** A value above goes to the right, the half of the leaves with the higher numbers. */
  readonly thresholds: Float64Array;
  readonly leaves: Float64Array;
}

/** @param row by feature; some 10 ns a tree */
export function predict({ base, features, thresholds, leaves }: Trees, row: Float64Array): number {
  let sum = base;
  for (let split = 0, leaf = 0; split < features.length; split += TREE_DEPTH, leaf += TREE_LEAVES) {
    const root = (row[features[split] ?? 0] ?? 0) > (thresholds[split] ?? 0) ? 4 : 0;
    const middle = (row[features[split + 1] ?? 0] ?? 0) > (thresholds[split + 1] ?? 0) ? 2 : 0;
    const last = (row[features[split + 2] ?? 0] ?? 0) > (thresholds[split + 2] ?? 0) ? 1 : 0;
    sum += leaves[leaf + (root | middle | last)] ?? 0;
  }
  return sum;
}

/** The sum of both. */
export function joinTrees(first: Trees, second: Trees): Trees {
  return {
    base: first.base + second.base,
    features: Uint8Array.of(...first.features, ...second.features),
    thresholds: Float64Array.of(...first.thresholds, ...second.thresholds),
    leaves: Float64Array.of(...first.leaves, ...second.leaves),
  };
}
