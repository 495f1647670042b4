import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { joinTrees, predict, TREE_DEPTH, TREE_LEAVES, type Trees } from './boosted-trees.js';
import { FeatureBins } from './feature-bins.js';
import { seededRandom } from './seeded-random.js';
import { growTrees } from './tree-growth.js';

const GROWTH = { trees: 120, rate: 0.1, featureShare: 1 };
const NOISE = 0.3;

/** What only both features together tell. */
const interaction = (row: Float64Array) => (row[0]! > 0.5 === row[1]! > 0.5 ? 1 : -1);

function samples(count: number, width: number, seed: number, of: (row: Float64Array) => number) {
  const random = seededRandom(seed);
  const rows = Array.from({ length: count }, () => Float64Array.from({ length: width }, random));
  // Of three even ones: near enough to normal, and the deviation is that of one half.
  const noise = () => (random() + random() + random() - 1.5) * 2 * NOISE;
  return { rows, targets: Float64Array.from(rows, (row) => of(row) + noise()) };
}

function grow(rows: readonly Float64Array[], targets: Float64Array, weights = targets.map(() => 1)): Trees {
  const width = rows[0]!.length;
  const flat = Float64Array.from(rows.flatMap((it) => [...it]));
  const bins = new FeatureBins(flat, width);
  const columns = bins.binned(flat, Uint32Array.from(rows.keys()));
  return growTrees({ bins, columns, targets, weights }, 0, GROWTH, seededRandom(1));
}

function errorOf(model: (row: Float64Array) => number, rows: readonly Float64Array[]): number {
  const squares = rows.map((row) => (model(row) - interaction(row)) ** 2);
  return Math.sqrt(squares.reduce((sum, it) => sum + it, 0) / rows.length);
}

/** Any trees, as they may come. */
const anyTrees = (width: number) =>
  fc.integer({ min: 0, max: 10 }).chain((count) => {
    const exact = <T>(it: fc.Arbitrary<T>, length: number) =>
      fc.array(it, { minLength: length, maxLength: length });
    const real = fc.double({ min: -100, max: 100, noNaN: true });
    return fc
      .tuple(
        real,
        exact(fc.integer({ min: 0, max: width - 1 }), count * TREE_DEPTH),
        exact(real, count * TREE_DEPTH),
        exact(real, count * TREE_LEAVES),
      )
      .map(([base, features, thresholds, leaves]): Trees => ({
        base,
        features: Uint8Array.from(features),
        thresholds: Float64Array.from(thresholds),
        leaves: Float64Array.from(leaves),
      }));
  });

/** One tree of them, with no base. */
const only = (trees: Trees, tree: number): Trees => ({
  base: 0,
  features: trees.features.slice(tree * TREE_DEPTH, (tree + 1) * TREE_DEPTH),
  thresholds: trees.thresholds.slice(tree * TREE_DEPTH, (tree + 1) * TREE_DEPTH),
  leaves: trees.leaves.slice(tree * TREE_LEAVES, (tree + 1) * TREE_LEAVES),
});

describe('growTrees', () => {
  it('learns an interaction to below the noise, where a sum of single features learns nothing', () => {
    const { rows, targets } = samples(3_000, 6, 1, interaction);
    const unseen = samples(1_000, 6, 2, interaction).rows;
    const trees = grow(rows, targets);
    const single = [0, 1, 2, 3, 4, 5].map((feature) => {
      const alone = (row: Float64Array) => row.subarray(feature, feature + 1);
      const grown = grow(rows.map(alone), targets);
      return (row: Float64Array) => predict(grown, alone(row)) / 6;
    });
    expect(errorOf((row) => predict(trees, row), unseen)).toBeLessThan(0.8 * NOISE);
    expect(errorOf((row) => single.reduce((sum, it) => sum + it(row), 0), unseen)).toBeGreaterThan(0.9);
  });

  it('believes the weights', () => {
    const { rows } = samples(400, 2, 3, () => 0);
    const targets = Float64Array.from(rows, (_, at) => (at % 2 === 0 ? 1 : -1));
    const by = (even: number, odd: number) =>
      predict(
        grow(
          rows,
          targets,
          Float64Array.from(rows, (_, at) => (at % 2 === 0 ? even : odd)),
        ),
        rows[0]!,
      );
    expect(by(1, 0)).toBeGreaterThan(0.9);
    expect(by(0, 1)).toBeLessThan(-0.9);
    expect(by(1, 0.1)).toBeGreaterThan(0.5);
  });

  it('makes few trees of few samples, and none of features that are all the same', () => {
    const { rows, targets } = samples(20, 3, 4, interaction);
    expect(grow(rows, targets).leaves.length / TREE_LEAVES).toBe(5);
    const same = rows.map(() => Float64Array.of(1, 1, 1));
    expect(grow(same, targets)).toMatchObject({ base: 0, features: new Uint8Array() });
  });
});

describe('predict', () => {
  it('is the base and the sum of the trees', () => {
    const row = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(anyTrees(4), anyTrees(4), row, (one, other, values) => {
        const features = Float64Array.from(values);
        const count = one.features.length / TREE_DEPTH;
        const parts = Array.from({ length: count }, (_, tree) => predict(only(one, tree), features));
        const whole = parts.reduce((sum, it) => sum + it, one.base);
        expect(predict(one, features)).toBeCloseTo(whole, 6);
        expect(predict(joinTrees(one, other), features)).toBeCloseTo(whole + predict(other, features), 6);
      }),
    );
  });
});
