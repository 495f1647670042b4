import { z } from 'zod';
import { TREE_DEPTH, TREE_LEAVES, type Trees } from './boosted-trees.js';
import { type LatencyModel, type PlanLatency } from './latency-model.js';

const numbers = z.array(z.number());

const treesSchema = z
  .strictObject({
    base: z.number(),
    /** Three a tree: which feature is asked about. */
    features: z.array(z.number().int().min(0).max(255)),
    /** Three a tree: above it is to the right. */
    thresholds: numbers,
    /** Eight a tree. */
    leaves: numbers,
  })
  .refine(
    ({ features, thresholds, leaves }) =>
      features.length % TREE_DEPTH === 0 &&
      thresholds.length === features.length &&
      leaves.length === (features.length / TREE_DEPTH) * TREE_LEAVES,
    { message: 'its trees are not whole' },
  );

const latencySchema = z.strictObject({
  samples: z.number().int().nonnegative(),
  spread: z.number().positive(),
  /** Of each feature: where it was trained. */
  low: numbers,
  high: numbers,
  trees: treesSchema,
  heads: z.array(treesSchema),
});

/** What a planner knows, as JSON: to be stored, and to be the prior of another one. */
export const plannerModelSchema = z
  .strictObject({
    format: z.literal(1),
    features: z.array(z.string()),
    /** Logarithms of milliseconds, by plan. */
    plans: z.record(z.string(), latencySchema),
  })
  .superRefine(({ features, plans }, context) => {
    for (const [plan, { low, high, trees, heads }] of Object.entries(plans)) {
      const isFitting =
        [low, high].every((it) => it.length === features.length) &&
        [trees, ...heads].every((it) => it.features.every((feature) => feature < features.length));
      if (!isFitting)
        context.addIssue({ code: 'custom', path: ['plans', plan], message: 'is not of these features' });
    }
  });

export type PlannerModel = z.output<typeof plannerModelSchema>;

export function toPlannerModel(
  model: LatencyModel,
  plans: readonly string[],
  features: readonly string[],
): PlannerModel {
  const named = plans.flatMap((plan, number) => {
    const latency = model[number];
    return latency ? [[plan, toJson(latency)] as const] : [];
  });
  return { format: 1, features: [...features], plans: Object.fromEntries(named) };
}

/** Plans that are not asked for are left out. */
export function toLatencyModel(model: PlannerModel, plans: readonly string[]): LatencyModel {
  return plans.map((plan) => {
    const latency = model.plans[plan];
    return latency && fromJson(latency);
  });
}

type LatencyJson = PlannerModel['plans'][string];

function toJson({ samples, spread, domain, trees, heads }: PlanLatency): LatencyJson {
  return {
    samples,
    spread,
    low: [...domain.low],
    high: [...domain.high],
    trees: treesToJson(trees),
    heads: heads.map(treesToJson),
  };
}

function fromJson({ samples, spread, low, high, trees, heads }: LatencyJson): PlanLatency {
  return {
    samples,
    spread,
    domain: { low: Float64Array.from(low), high: Float64Array.from(high) },
    trees: treesFromJson(trees),
    heads: heads.map(treesFromJson),
  };
}

function treesToJson({ base, features, thresholds, leaves }: Trees): LatencyJson['trees'] {
  return { base, features: [...features], thresholds: [...thresholds], leaves: [...leaves] };
}

function treesFromJson({ base, features, thresholds, leaves }: LatencyJson['trees']): Trees {
  return {
    base,
    features: Uint8Array.from(features),
    thresholds: Float64Array.from(thresholds),
    leaves: Float64Array.from(leaves),
  };
}
