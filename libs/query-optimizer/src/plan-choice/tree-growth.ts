import { TREE_DEPTH, TREE_LEAVES, type Trees } from './boosted-trees.js';
import { type FeatureBins, MAX_BINS } from './feature-bins.js';

/** Samples whose mean a leaf mistrusts: it answers as if so many more had been without any error. */
const LEAF_CAUTION = 3;
/** A tree for so many samples: a hundred trees on ten samples would learn their noise by heart. */
const SAMPLES_A_TREE = 4;

/** How many trees at most, and how much of what is left each one takes. */
export interface Growth {
  readonly trees: number;
  readonly rate: number;
}

export interface GrowthRows {
  readonly bins: FeatureBins;
  /** As {@link FeatureBins.binned} gives them. */
  readonly columns: Uint8Array;
  /** What is to be predicted. */
  readonly targets: Float64Array;
  /** 1 is a whole sample; 0 is not looked at. */
  readonly weights: Float64Array;
}

/**
 * Gradient boosting by histograms (Ke et al., LightGBM, NIPS 2017) of squared errors, with oblivious trees.
 * @returns trees for what `targets` are beside `base`, which is taken as given
 */
export function growTrees(rows: GrowthRows, base: number, { trees, rate }: Growth): Trees {
  const count = Math.min(trees, Math.ceil(sumOf(rows.weights) / SAMPLES_A_TREE));
  const grower = new TreeGrower(rows, base, rate);
  const features: number[] = [];
  const thresholds: number[] = [];
  const leaves: number[] = [];
  for (let tree = 0; tree < count; tree++) {
    const splits = grower.splits();
    if (!splits) break;
    for (const { feature, bin } of splits) {
      features.push(feature);
      thresholds.push(rows.bins.edges[feature]?.[bin] ?? 0);
    }
    leaves.push(...grower.leaves());
  }
  return {
    base,
    features: Uint8Array.from(features),
    thresholds: Float64Array.from(thresholds),
    leaves: Float64Array.from(leaves),
  };
}

export function sumOf(values: Float64Array): number {
  return values.reduce((sum, it) => sum + it, 0);
}

/** Rows in a bin above `bin` go to the right. */
interface Split {
  readonly feature: number;
  readonly bin: number;
}

/** Grows one tree after the other. */
class TreeGrower {
  readonly #rows: GrowthRows;
  readonly #rate: number;
  /** What is left to explain, and the same times the weight. */
  readonly #errors: Float64Array;
  readonly #weighted: Float64Array;
  /** The leaf of each row, as far as the tree has grown. */
  readonly #leafOf: Uint8Array;
  /** By leaf and bin: the sum of the weighted errors, and of the weights. */
  readonly #sums = new Float64Array(TREE_LEAVES * MAX_BINS * 2);
  readonly #gains = new Float64Array(MAX_BINS);

  constructor(rows: GrowthRows, base: number, rate: number) {
    this.#rows = rows;
    this.#rate = rate;
    this.#errors = rows.targets.map((it) => it - base);
    this.#weighted = new Float64Array(rows.targets.length);
    this.#leafOf = new Uint8Array(rows.targets.length);
  }

  /** @returns those of the next tree; undefined when no feature tells rows apart */
  splits(): Split[] | undefined {
    const { weights } = this.#rows;
    for (let row = 0; row < weights.length; row++)
      this.#weighted[row] = (this.#errors[row] ?? 0) * (weights[row] ?? 0);
    this.#leafOf.fill(0);
    const splits: Split[] = [];
    for (let level = 0; level < TREE_DEPTH; level++) {
      const split = this.#bestSplit(1 << level);
      if (!split) return undefined;
      splits.push(split);
      this.#divide(split);
    }
    return splits;
  }

  /** Values of the tree whose splits were asked for last; takes them from what is left. */
  leaves(): Float64Array {
    const { weights } = this.#rows;
    const errors = new Float64Array(TREE_LEAVES);
    const totals = new Float64Array(TREE_LEAVES);
    this.#leafOf.forEach((leaf, row) => {
      errors[leaf] = (errors[leaf] ?? 0) + (this.#weighted[row] ?? 0);
      totals[leaf] = (totals[leaf] ?? 0) + (weights[row] ?? 0);
    });
    // With few digits, since it is sent and stored as text.
    const values = errors.map((it, leaf) =>
      Number(((this.#rate * it) / ((totals[leaf] ?? 0) + LEAF_CAUTION)).toPrecision(5)),
    );
    for (let row = 0; row < weights.length; row++)
      this.#errors[row] = (this.#errors[row] ?? 0) - (values[this.#leafOf[row] ?? 0] ?? 0);
    return values;
  }

  #bestSplit(leaves: number): Split | undefined {
    let best: Split | undefined;
    let most = -Infinity;
    this.#rows.bins.edges.forEach(({ length }, feature) => {
      if (length === 0) return;
      this.#sumBins(feature, leaves);
      this.#sumGains(length, leaves);
      for (let bin = 0; bin < length; bin++) {
        const gain = this.#gains[bin] ?? 0;
        if (gain <= most) continue;
        most = gain;
        best = { feature, bin };
      }
    });
    return best;
  }

  /** The hot loop of all training. */
  #sumBins(feature: number, leaves: number): void {
    const count = this.#leafOf.length;
    const { weights } = this.#rows;
    const column = this.#rows.columns.subarray(feature * count, (feature + 1) * count);
    const leafOf = this.#leafOf;
    const weighted = this.#weighted;
    const sums = this.#sums.fill(0, 0, leaves * MAX_BINS * 2);
    for (let row = 0; row < count; row++) {
      const at = ((leafOf[row] ?? 0) * MAX_BINS + (column[row] ?? 0)) * 2;
      sums[at] = (sums[at] ?? 0) + (weighted[row] ?? 0);
      sums[at + 1] = (sums[at + 1] ?? 0) + (weights[row] ?? 0);
    }
  }

  /** What each split of the feature would explain, over all leaves that it divides. */
  #sumGains(edges: number, leaves: number): void {
    this.#gains.fill(0, 0, edges);
    for (let leaf = 0; leaf < leaves; leaf++) {
      const sums = this.#sums.subarray(leaf * MAX_BINS * 2, (leaf + 1) * MAX_BINS * 2);
      let errors = 0;
      let weights = 0;
      for (let bin = 0; bin <= edges; bin++) {
        errors += sums[bin * 2] ?? 0;
        weights += sums[bin * 2 + 1] ?? 0;
      }
      let leftErrors = 0;
      let leftWeights = 0;
      for (let bin = 0; bin < edges; bin++) {
        leftErrors += sums[bin * 2] ?? 0;
        leftWeights += sums[bin * 2 + 1] ?? 0;
        const left = leftErrors ** 2 / (leftWeights + LEAF_CAUTION);
        const right = (errors - leftErrors) ** 2 / (weights - leftWeights + LEAF_CAUTION);
        this.#gains[bin] = (this.#gains[bin] ?? 0) + left + right;
      }
    }
  }

  #divide({ feature, bin }: Split): void {
    const count = this.#leafOf.length;
    for (let row = 0; row < count; row++) {
      const isRight = (this.#rows.columns[feature * count + row] ?? 0) > bin;
      this.#leafOf[row] = ((this.#leafOf[row] ?? 0) << 1) | (isRight ? 1 : 0);
    }
  }
}
