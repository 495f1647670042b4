import { z } from 'zod';
import { QueryPlannerOptionsError } from '../query-optimizer.errors.js';
import { type PlannerModel, plannerModelSchema } from './planner-model.js';

/** Sets of plans are bits of a number. */
const MAX_PLANS = 31;
/** The number of a feature is a byte. */
const MAX_FEATURES = 255;

const names = (most: number) =>
  z
    .array(z.string().min(1))
    .min(1)
    .max(most)
    .refine((it) => new Set(it).size === it.length, { message: 'must be different ones' });
const isFunction = (it: unknown) => typeof it === 'function';

const schema = z
  .strictObject({
    /** As a source of metrics. */
    name: z.string().min(1).default('query-planner'),
    plans: names(MAX_PLANS),
    /** In the order of their values in a question. */
    features: names(MAX_FEATURES),
    /** A model of elsewhere (`planner.model()`): used from the first question, and less and less as there are own samples. */
    prior: plannerModelSchema.optional(),
    /** Plans that are remembered. */
    cacheEntries: z.number().int().positive().default(10_000),
    /** What a plan has to save of the fallback's predicted time, 0 to 1 … */
    minGain: z.number().min(0).max(0.95).default(0.2),
    /** … and at least so much. Milliseconds. */
    minGainMs: z.number().nonnegative().default(1),
    /** What exploration may lose, as a share of all time in an hour. */
    regretBudget: z.number().min(0).max(0.5).default(0.02),
    /** A plan that is not the fallback is given up after so many times what the fallback should take. */
    timeoutFactor: z.number().min(1).max(100).default(3),
    /** Samples that are trained from. */
    keepSamples: z.number().int().min(100).max(100_000).default(5_000),
    /** Samples between two trainings. */
    retrainEvery: z.number().int().min(20).default(200),
    /** Samples after which a sample counts half. */
    halfLife: z.number().positive().default(2_000),
    /** 0 to 1; for tests and benches that are to be repeated. @default Math.random */
    random: z.custom<() => number>(isFunction, 'must be a function').default(() => Math.random),
    /** Milliseconds since 1970; for tests. @default Date.now */
    now: z.custom<() => number>(isFunction, 'must be a function').default(() => Date.now),
    /** Of the thread that trains. @default the library's own */
    program: z.instanceof(URL).optional(),
  })
  .refine(({ prior, features }) => !prior || prior.features.join('\n') === features.join('\n'), {
    message: 'is of other features, or of another order of them',
    path: ['prior'],
  });

export interface QueryPlannerOptions<Plan extends string> extends Omit<
  z.input<typeof schema>,
  'plans' | 'features' | 'prior'
> {
  readonly plans: readonly Plan[];
  readonly features: readonly string[];
  readonly prior?: PlannerModel | undefined;
}

export type ParsedPlannerOptions<Plan extends string> = Readonly<Omit<z.output<typeof schema>, 'plans'>> & {
  readonly plans: readonly Plan[];
};

/** @throws {QueryPlannerOptionsError} with every problem at once */
export function parsePlannerOptions<Plan extends string>(
  input: QueryPlannerOptions<Plan>,
): ParsedPlannerOptions<Plan> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return Object.freeze({ ...parsed.data, plans: input.plans });
  throw new QueryPlannerOptionsError(parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`));
}
