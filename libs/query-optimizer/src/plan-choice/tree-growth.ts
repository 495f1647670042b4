import { TREE_DEPTH, TREE_LEAVES, type Trees } from './boosted-trees.js';
import { type FeatureBins, MAX_BINS } from './feature-bins.js';

/** Samples whose mean a leaf mistrusts: it answers as if so many more had been without any error. */
const LEAF_CAUTION = 3;
/** A tree for so many samples: a hundred trees on ten samples would learn their noise by heart. */
const SAMPLES_A_TREE = 4;

/** A bin of a leaf is found by shifts: {@link MAX_BINS} are as many bits. */
const BIN_BITS = 6;

/** How many trees at most, and how much of what is left each one takes. */
export interface Growth {
  readonly trees: number;
  readonly rate: number;
  /** Part of the features that each tree may ask about, drawn anew for each. */
  readonly featureShare: number;
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
export function growTrees(rows: GrowthRows, base: number, growth: Growth, random: () => number): Trees {
  const { trees, rate, featureShare } = growth;
  const count = Math.min(trees, Math.ceil(sumOf(rows.weights) / SAMPLES_A_TREE));
  const grower = new TreeGrower(rows, base, rate);
  const features: number[] = [];
  const thresholds: number[] = [];
  const leaves: number[] = [];
  for (let tree = 0; tree < count; tree++) {
    const splits = grower.splits(() => random() < featureShare);
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
  splits(isDrawn: () => boolean): Split[] | undefined {
    const features = this.#drawn(isDrawn);
    weigh(this.#weighted, this.#errors, this.#rows.weights);
    this.#leafOf.fill(0);
    const splits: Split[] = [];
    for (let level = 0; level < TREE_DEPTH; level++) {
      const split = this.#bestSplit(1 << level, features);
      if (!split) return undefined;
      splits.push(split);
      this.#divide(split);
    }
    return splits;
  }

  /** Values of the tree whose splits were asked for last; takes them from what is left. */
  leaves(): Float64Array {
    const errors = new Float64Array(TREE_LEAVES);
    const totals = new Float64Array(TREE_LEAVES);
    addByLeaf(errors, this.#leafOf, this.#weighted);
    addByLeaf(totals, this.#leafOf, this.#rows.weights);
    // With few digits, since it is sent and stored as text.
    const values = errors.map((it, leaf) =>
      Number(((this.#rate * it) / ((totals[leaf] ?? 0) + LEAF_CAUTION)).toPrecision(5)),
    );
    subtract(this.#errors, this.#leafOf, values);
    return values;
  }

  /** All of them where chance would leave none. */
  #drawn(isDrawn: () => boolean): readonly number[] {
    const telling = [...this.#rows.bins.edges.keys()].filter(
      (feature) => (this.#rows.bins.edges[feature]?.length ?? 0) > 0,
    );
    const drawn = telling.filter(isDrawn);
    return drawn.length > 0 ? drawn : telling;
  }

  #bestSplit(leaves: number, features: readonly number[]): Split | undefined {
    let best: Split | undefined;
    let most = -Infinity;
    for (const feature of features) {
      const edges = this.#rows.bins.edges[feature]?.length ?? 0;
      this.#sumBins(feature, leaves);
      this.#sumGains(edges, leaves);
      for (let bin = 0; bin < edges; bin++) {
        const gain = this.#gains[bin] ?? 0;
        if (gain <= most) continue;
        most = gain;
        best = { feature, bin };
      }
    }
    return best;
  }

  #sumBins(feature: number, leaves: number): void {
    this.#sums.fill(0, 0, leaves * MAX_BINS * 2);
    addByBin(this.#sums, this.#leafOf, this.#column(feature), this.#weighted, this.#rows.weights);
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
        const left = explained(leftErrors, leftWeights);
        this.#gains[bin] =
          (this.#gains[bin] ?? 0) + left + explained(errors - leftErrors, weights - leftWeights);
      }
    }
  }

  #divide({ feature, bin }: Split): void {
    divide(this.#leafOf, this.#column(feature), bin);
  }

  #column(feature: number): Uint8Array {
    const count = this.#leafOf.length;
    return this.#rows.columns.subarray(feature * count, (feature + 1) * count);
  }
}

/** Squared error that a leaf takes away. (Not `**`, which is a call of a library.) */
function explained(errors: number, weights: number): number {
  return (errors * errors) / (weights + LEAF_CAUTION);
}

// The hot loops, as functions of their own so that each is compiled for itself.

function weigh(weighted: Float64Array, errors: Float64Array, weights: Float64Array): void {
  for (let row = 0; row < weighted.length; row++) weighted[row] = (errors[row] ?? 0) * (weights[row] ?? 0);
}

/** The hottest. */
function addByBin(
  sums: Float64Array,
  leafOf: Uint8Array,
  column: Uint8Array,
  weighted: Float64Array,
  weights: Float64Array,
): void {
  for (let row = 0; row < leafOf.length; row++) {
    const at = (((leafOf[row] ?? 0) << BIN_BITS) | (column[row] ?? 0)) << 1;
    sums[at] = (sums[at] ?? 0) + (weighted[row] ?? 0);
    sums[at + 1] = (sums[at + 1] ?? 0) + (weights[row] ?? 0);
  }
}

function addByLeaf(sums: Float64Array, leafOf: Uint8Array, values: Float64Array): void {
  for (let row = 0; row < leafOf.length; row++) {
    const leaf = leafOf[row] ?? 0;
    sums[leaf] = (sums[leaf] ?? 0) + (values[row] ?? 0);
  }
}

function subtract(errors: Float64Array, leafOf: Uint8Array, values: Float64Array): void {
  for (let row = 0; row < leafOf.length; row++)
    errors[row] = (errors[row] ?? 0) - (values[leafOf[row] ?? 0] ?? 0);
}

function divide(leafOf: Uint8Array, column: Uint8Array, bin: number): void {
  for (let row = 0; row < leafOf.length; row++)
    leafOf[row] = ((leafOf[row] ?? 0) << 1) | ((column[row] ?? 0) > bin ? 1 : 0);
}
