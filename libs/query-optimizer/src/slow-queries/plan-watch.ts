import { Logger } from '@nestjs/common';
import { type PlanRegression, isWorse, type Suspicion } from './plan-history.js';
import { type CapturedRun, type PlanSampler } from './plan-sampler.js';
import { TokenBucket } from './token-bucket.js';
import { type TrackedStatement } from './tracked-statement.js';

export interface PlanWatchOptions {
  readonly enabled: boolean;
  readonly perMinute: number;
  readonly burst: number;
  readonly intervalMs: number;
}

interface Request {
  readonly track: TrackedStatement;
  readonly run: CapturedRun;
  readonly analyse: boolean;
}

const MAX_QUEUED = 50;
/** So soon after it a run is explained by the plan that it had. Milliseconds. */
const FRESH_MS = 30_000;
/** Of ordinary runs, so many statements at a refresh, and only while this share of the tokens is left for slow ones. */
const ORDINARY_AT_ONCE = 5;
const RESERVED_SHARE = 0.5;

/** Asks for plans one after the other, within a rate, and finds those that have become worse. */
export class PlanWatch {
  readonly #logger = new Logger(PlanWatch.name);
  readonly #tokens: TokenBucket;
  readonly #queue: Request[] = [];
  #running: Promise<void> | undefined;
  #isStopped = false;
  samples = 0;
  regressions = 0;

  constructor(
    private readonly sampler: PlanSampler,
    private readonly options: PlanWatchOptions,
    /** Told at every sample for as long as the plan is worse. */
    private readonly regressed: (regression: PlanRegression, run: CapturedRun) => void,
  ) {
    this.#tokens = new TokenBucket(options.perMinute, options.burst);
  }

  /** A slow run: its plan, and what it really did. */
  slow(track: TrackedStatement, run: CapturedRun): void {
    if (this.#isDue(track) && this.#tokens.take()) this.#ask({ track, run, analyse: true });
  }

  /** The estimated plans of what takes the most time, so that another plan is noticed for what it is. */
  ordinary(tracks: readonly TrackedStatement[]): void {
    const due = tracks
      .filter((it) => it.run && this.#isDue(it))
      .sort((a, b) => compare(urgency(a), urgency(b)) || b.weightMs - a.weightMs)
      .slice(0, ORDINARY_AT_ONCE);
    for (const track of due) {
      if (!track.run || !this.#tokens.take(Math.floor(this.options.burst * RESERVED_SHARE))) return;
      this.#ask({ track, run: track.run, analyse: false });
    }
  }

  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  stop(): void {
    this.#isStopped = true;
    this.#queue.length = 0;
  }

  #isDue({ isQueued, sampledAt }: TrackedStatement): boolean {
    const { enabled, intervalMs } = this.options;
    return enabled && !this.#isStopped && !isQueued && performance.now() - sampledAt >= intervalMs;
  }

  #ask(request: Request): void {
    if (this.#queue.length >= MAX_QUEUED) return;
    request.track.isQueued = true;
    this.#queue.push(request);
    this.#running ??= this.#work().finally(() => (this.#running = undefined));
  }

  async #work(): Promise<void> {
    for (let request = this.#queue.shift(); request; request = this.#queue.shift())
      await this.#sample(request);
  }

  async #sample({ track, run, analyse }: Request): Promise<void> {
    const isFresh = run !== track.explained && performance.now() - run.at <= FRESH_MS;
    let sample = await this.sampler.sample(run, analyse);
    // Another plan than it had when it ran: what that takes is not known yet.
    if (!isFresh && sample.plan && !track.plans.knows(sample.plan.hash))
      sample = await this.sampler.sample(run);
    track.isQueued = false;
    track.explained = run;
    track.sampledAt = performance.now();
    track.planProblem = sample.problem;
    if (!sample.plan) return;
    this.samples++;
    const suspicion = track.plans.add(sample, run, isFresh);
    if (!suspicion) track.regression = null;
    else if (isSame(track.regression, suspicion)) this.regressed(track.regression, run);
    else await this.#lookInto(track, suspicion, run);
  }

  /** Whether a run that had the good plan has it still: then it is the parameters, and no regression. */
  async #lookInto(track: TrackedStatement, suspicion: Suspicion, run: CapturedRun): Promise<void> {
    const { before, after, earlierRun } = suspicion;
    if (earlierRun) {
      const { plan } = await this.sampler.sample(earlierRun);
      if (!plan) return;
      const isStillGood = plan.executionMs !== null && !isWorse(plan.executionMs, before.meanMs);
      if (plan.hash === before.hash || isStillGood) {
        track.plans.acquit(suspicion);
        track.regression = null;
        return;
      }
    }
    const regression: PlanRegression = {
      fingerprint: track.fingerprint,
      sql: track.sql,
      since: after.firstSeenAt,
      before,
      after,
      factor: (after.meanMs ?? 0) / Math.max(before.meanMs ?? 0, Number.EPSILON),
      evidence: earlierRun ? 'same parameters' : 'run times',
    };
    track.regression = regression;
    this.regressions++;
    this.#logger.warn(
      `${track.fingerprint} has another plan and takes ${regression.factor.toFixed(1)} times as long`,
    );
    this.regressed(regression, earlierRun ?? run);
  }
}

/** What was never explained comes first, then what takes much time and was explained long ago: each has its turn. */
function urgency({ weightMs, sampledAt }: TrackedStatement): number {
  return sampledAt === -Infinity ? Infinity : weightMs * (performance.now() - sampledAt);
}

/** The larger first; two infinities are equal. */
function compare(a: number, b: number): number {
  return a === b ? 0 : b - a;
}

function isSame(
  regression: PlanRegression | null,
  { before, after }: Suspicion,
): regression is PlanRegression {
  return regression?.before.hash === before.hash && regression.after.hash === after.hash;
}
