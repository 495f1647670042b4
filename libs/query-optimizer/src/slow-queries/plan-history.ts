import { type PlanBuffers } from './plan.js';
import { type CapturedRun, type PlanSample } from './plan-sampler.js';

/** One plan that a statement had. */
export interface PlanRecord {
  readonly hash: string;
  readonly outline: string;
  readonly isGeneric: boolean;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  readonly samples: number;
  /** PostgreSQL's estimate, in its own unit. */
  readonly totalCost: number;
  /** What each line of the outline costs by itself; null of plans from before it was kept. */
  readonly nodeCosts: readonly number[] | null;
  /** What runs with the plan took, recent ones counting more; null when only estimates are known. Milliseconds. */
  readonly meanMs: number | null;
  /** Of the latest run with ANALYZE. */
  readonly buffers: PlanBuffers | null;
}

/** A statement that got another plan, and is slower with it. */
export interface PlanRegression {
  readonly fingerprint: string;
  readonly sql: string;
  readonly since: Date;
  readonly before: PlanRecord;
  readonly after: PlanRecord;
  /** How many times as long it takes. */
  readonly factor: number;
  /**
   * `same parameters`: a run that had the old plan was explained again, and has the new one now. `run times`: the earlier
   * run is not at hand (it was before a restart), so other parameters may be the reason.
   */
  readonly evidence: 'same parameters' | 'run times';
}

/** A suspicion that has to be looked into. */
export interface Suspicion {
  readonly before: PlanRecord;
  readonly after: PlanRecord;
  /** A run that had the plan `before`. */
  readonly earlierRun: CapturedRun | undefined;
}

/** A plan that takes this many times as long as an earlier one is worse… */
const WORSE = 2;
/** …if it is also this much longer: below are the moods of the machine. */
const WORSE_MS = 10;
const NEW_RUN_SHARE = 0.3;
const MAX_PLANS = 8;
const MAX_EXPLAINED = 64;

/** The plans of one statement, the latest last. Bounded. */
export class PlanHistory {
  readonly #plans = new Map<string, PlanRecord>();
  readonly #runs = new Map<string, CapturedRun>();
  /** Pairs that parameters explain: another plan for other values, not another plan for the same. */
  readonly #explained = new Set<string>();

  get plans(): readonly PlanRecord[] {
    return [...this.#plans.values()];
  }

  get latest(): PlanRecord | undefined {
    return this.plans.at(-1);
  }

  /** Of the time before this process. */
  restore(plan: PlanRecord): void {
    if (!this.#plans.has(plan.hash)) this.#put(plan);
  }

  knows(hash: string): boolean {
    return this.#plans.has(hash);
  }

  /**
   * @param run what the sample was made from
   * @param isFresh whether the run had this plan, so that its duration counts for the plan
   * @returns whether the plan seems to be worse than an earlier one
   */
  add({ plan, isGeneric }: PlanSample, run: CapturedRun, isFresh = true): Suspicion | undefined {
    if (!plan) return undefined;
    const at = new Date();
    const known = this.#plans.get(plan.hash);
    const ms = plan.executionMs ?? (isFresh ? run.durationMs : null);
    this.#put({
      hash: plan.hash,
      outline: plan.outline,
      isGeneric,
      firstSeenAt: known?.firstSeenAt ?? at,
      lastSeenAt: at,
      samples: (known?.samples ?? 0) + 1,
      totalCost: plan.totalCost,
      nodeCosts: plan.nodeCosts,
      meanMs: mixed(known?.meanMs ?? null, ms),
      buffers: plan.buffers ?? known?.buffers ?? null,
    });
    if (run.parameters) this.#runs.set(plan.hash, run);
    return this.suspicion();
  }

  /** Whether the latest plan seems to be worse than one of those before it. */
  suspicion(): Suspicion | undefined {
    const after = this.latest;
    if (after?.meanMs == null) return undefined;
    const [before] = this.plans
      .filter((it) => it.isGeneric === after.isGeneric && it.meanMs !== null && isEarlier(it, after))
      .filter((it) => isWorse(after.meanMs, it.meanMs) && !this.#explained.has(pair(it, after)))
      .sort((a, b) => (a.meanMs ?? 0) - (b.meanMs ?? 0));
    return before && { before, after, earlierRun: this.#runs.get(before.hash) };
  }

  /** The run that had the plan `before` has it still: it is the parameters that make the difference. */
  acquit({ before, after }: Suspicion): void {
    if (this.#explained.size >= MAX_EXPLAINED) this.#explained.clear();
    this.#explained.add(pair(before, after));
  }

  #put(plan: PlanRecord): void {
    this.#plans.delete(plan.hash);
    this.#plans.set(plan.hash, plan);
    for (const hash of this.#plans.keys()) {
      if (this.#plans.size <= MAX_PLANS) return;
      this.#plans.delete(hash);
      this.#runs.delete(hash);
    }
  }
}

/** @param after milliseconds @param before milliseconds */
export function isWorse(after: number | null, before: number | null): boolean {
  return after !== null && before !== null && after >= before * WORSE && after - before >= WORSE_MS;
}

function mixed(known: number | null, ms: number | null): number | null {
  return known === null || ms === null ? (ms ?? known) : known + (ms - known) * NEW_RUN_SHARE;
}

function isEarlier(a: PlanRecord, b: PlanRecord): boolean {
  return a.hash !== b.hash && a.firstSeenAt <= b.firstSeenAt;
}

function pair(before: PlanRecord, after: PlanRecord): string {
  return `${before.hash} ${after.hash}`;
}
