import { z } from 'zod';

/** Settings of the session for the time of one statement, by PostgreSQL's names. */
export interface PlanArm {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** Of these a plan depends; what names mean, who somebody is, and how values are written does not. */
const PLANNER_SETTING =
  /^(enable_\w+|jit|jit_\w+|geqo|geqo_\w+|(join|from)_collapse_limit|work_mem|hash_mem_multiplier|plan_cache_mode|\w+_cost|effective_cache_size|max_parallel_workers_per_gather|cursor_tuple_fraction)$/;

/** After Bao (Marcus et al., SIGMOD 2021): hints for whole groups of plans; the ones that won on join-heavy workloads. */
const ARMS: readonly PlanArm[] = [
  { name: 'no nested loop', settings: { enable_nestloop: 'off' } },
  { name: 'hash joins only', settings: { enable_nestloop: 'off', enable_mergejoin: 'off' } },
  { name: 'no hash join', settings: { enable_hashjoin: 'off' } },
  { name: 'no sequential scan', settings: { enable_seqscan: 'off' } },
  { name: 'no index scan', settings: { enable_indexscan: 'off', enable_indexonlyscan: 'off' } },
  { name: 'joins as written', settings: { join_collapse_limit: '1' } },
  { name: 'all join orders', settings: { geqo: 'off' } },
  { name: 'more memory', settings: { work_mem: '64MB' } },
  { name: 'no JIT', settings: { jit: 'off' } },
];

const arm = z
  .strictObject({ name: z.string().min(1), settings: z.record(z.string(), z.string()) })
  .superRefine(({ settings }, context) => {
    for (const name of Object.keys(settings).filter((it) => !PLANNER_SETTING.test(it)))
      context.addIssue({ code: 'custom', path: ['settings', name], message: 'is no setting of the planner' });
  });

/** Of {@link PlanGuard}. */
export const planGuardSchema = z.strictObject({
  /** Whether statements may run with other settings. */
  enabled: z.boolean().default(false),
  arms: z
    .array(arm)
    .min(1)
    .default([...ARMS]),
  /** Of so many runs one has no other settings, to know whether they are still of use. */
  controlEvery: z.number().int().min(2).default(10),
  /** What an arm has to save of the time, 0 to 1. */
  minGain: z.number().min(0.05).max(0.95).default(0.3),
  /** How long the trial of all arms for one statement may take. Milliseconds. */
  trialMs: z.number().int().positive().max(2_147_483_647).default(60_000),
  /** A statement for which nothing helped, or helped no more, is tried again after this long. Milliseconds. */
  retryMs: z.number().int().nonnegative().default(600_000),
  /**
   * A run with other settings is given up when it takes half as long again as the trial took without them; but not before
   * this long. Milliseconds.
   */
  patienceMs: z.number().int().positive().max(2_147_483_647).default(50),
  /** Statements with other settings at one time. */
  maxPinned: z.number().int().positive().default(20),
});

export type PlanGuardOptions = Readonly<z.output<typeof planGuardSchema>>;
