import { type CdnClock, systemClock } from '../clock.js';
import {
  ProviderRateLimitedError,
  ProviderUnavailableError,
  PurgeNotSeenError,
  PurgeRejectedError,
} from '../providers/provider.errors.js';
import { type PurgeKindLimits, type PurgeProvider } from '../providers/purge-provider.js';
import { purgeSpan } from '../tracing/purge-span.js';
import { type InvalidationOptions } from './invalidation.options.js';
import { type Invalidation, type InvalidationQueue } from './invalidation-queue.js';
import { type PurgeBudget } from './purge-budget.js';
import { type PlannedPurge, planPurges } from './purge-plan.js';
import { PurgeProbe } from './purge-probe.js';
import { type PurgeStatistics } from './purge-statistics.js';

/** Planned together; what is over goes into the next plan. */
const PLAN_SIZE = 10_000;
/** A claim outlives the request and its probes by this, milliseconds. */
const LEASE_SLACK_MS = 30_000;
/** Where a provider that wants a pause does not say how long, milliseconds. */
const DEFAULT_PAUSE_MS = 5_000;
/** Everything that is due is held by others: a transaction that asks for it again, or another process. */
const CONTENDED_MS = 250;
/** `0.2`: up to a fifth less than the full delay, so that processes do not come back together. */
const JITTER = 0.2;

export interface PurgeDeliveryParts {
  readonly provider: PurgeProvider;
  readonly queue: InvalidationQueue;
  readonly budget: PurgeBudget;
  readonly options: InvalidationOptions;
  readonly statistics: PurgeStatistics;
  /** Called for every request that failed; the purges are kept. */
  readonly warn: (message: string) => void;
  readonly clock?: CdnClock;
}

/** Sends what is pending for one provider. Several may run at once, in any process: each purge is sent by one. */
export class PurgeDelivery {
  readonly #parts: PurgeDeliveryParts;
  readonly #clock: CdnClock;
  readonly #probe: PurgeProbe | undefined;

  constructor(parts: PurgeDeliveryParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    const { probe, timeoutMs } = parts.options;
    this.#probe = probe && new PurgeProbe(probe, this.#clock, timeoutMs);
  }

  get provider(): string {
    return this.#parts.provider.name;
  }

  /**
   * Sends until nothing is due, or the provider has to be waited for.
   *
   * @returns milliseconds after which there is more to send; `undefined` when nothing is pending
   * @throws {InvalidationQueueUnavailableError}
   * @throws the signal's reason
   */
  async run(signal: AbortSignal): Promise<number | undefined> {
    const { provider, queue } = this.#parts;
    for (;;) {
      signal.throwIfAborted();
      const due = await queue.due(provider.name, PLAN_SIZE);
      if (due.length === 0) return queue.nextDueMs(provider.name);
      let isIdle = true;
      for (const purge of planPurges(due, provider.limits)) {
        const waitMs = await this.#take(purge);
        if (waitMs > 0) return waitMs;
        const pauseMs = await this.#send(purge, due, signal);
        if (pauseMs !== undefined && pauseMs > 0) return pauseMs;
        isIdle &&= pauseMs === undefined;
      }
      if (isIdle) return CONTENDED_MS;
    }
  }

  #take(purge: PlannedPurge): Promise<number> {
    const { provider, budget } = this.#parts;
    const { rate } = limitsOf(provider, purge);
    return budget.take(provider.name, rate, rate.cost === 'value' ? Math.max(1, purge.values.length) : 1);
  }

  /** @returns milliseconds for which the provider is to be left alone, 0: go on; `undefined`: others had them all */
  async #send(
    planned: PlannedPurge,
    due: readonly Invalidation[],
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const { provider, queue, options, statistics } = this.#parts;
    const leaseMs = options.timeoutMs * 2 + LEASE_SLACK_MS;
    const ids = planned.covers.map(({ id }) => id);
    const claimed = new Set(await queue.claim(ids, leaseMs));
    if (claimed.size === 0) return undefined;
    const purge = withOnly(planned, claimed);
    const sent = due.filter(({ id }) => claimed.has(id));
    let verified: true | null;
    try {
      const sentAt = this.#clock.now();
      await this.#request(purge, signal);
      verified = (await this.#probe?.verify(provider.name, purge, sentAt, signal)) ?? null;
    } catch (error) {
      if (!signal.aborted) return this.#keep(purge, sent, error);
      const interrupted = { error: 'The process stopped', delayMs: 0, countsAsAttempt: false };
      await queue.postpone([...claimed], interrupted);
      throw signal.reason;
    }
    await queue.succeed([...claimed], { sentAs: purge.kind, verified });
    const now = this.#clock.now();
    const agesMs = sent.map((it) => now - it.requestedAt.getTime());
    statistics.succeeded(provider.name, purge.kind, agesMs);
    return 0;
  }

  async #request(purge: PlannedPurge, signal: AbortSignal): Promise<void> {
    const { provider, options } = this.#parts;
    const timeout = AbortSignal.timeout(options.timeoutMs);
    try {
      await purgeSpan(provider.name, purge, () => provider.purge(purge, AbortSignal.any([signal, timeout])));
    } catch (error) {
      if (!timeout.aborted || signal.aborted) throw error;
      throw new ProviderUnavailableError(provider.name, `no answer in ${options.timeoutMs} ms`, undefined, {
        cause: error,
      });
    }
  }

  /** Decides what becomes of purges that were not done. */
  async #keep(purge: PlannedPurge, sent: readonly Invalidation[], failure: unknown): Promise<number> {
    const { provider, queue, budget, statistics, warn } = this.#parts;
    const error = failure instanceof Error ? failure.message : String(failure);
    const ids = sent.map(({ id }) => id);
    statistics.failed(provider.name, purge.kind);
    warn(error);
    if (failure instanceof PurgeRejectedError) {
      if (purge.values.length > 1) {
        await queue.postpone(ids, { error, delayMs: 0, countsAsAttempt: false, alone: true });
      } else {
        await queue.fail(ids, error);
        statistics.abandoned(provider.name, ids.length);
      }
      return 0;
    }
    const isLimited = failure instanceof ProviderRateLimitedError;
    const delayMs = retryAfterOf(failure) ?? this.#backoffMs(Math.max(...sent.map((it) => it.attempts)));
    await this.#postpone(sent, { error, delayMs, countsAsAttempt: !isLimited });
    // A copy that is still seen is no reason to leave the provider alone.
    if (failure instanceof PurgeNotSeenError) return 0;
    await budget.pause(provider.name, limitsOf(provider, purge).rate, delayMs);
    return delayMs;
  }

  async #postpone(
    sent: readonly Invalidation[],
    why: { readonly error: string; readonly delayMs: number; readonly countsAsAttempt: boolean },
  ): Promise<void> {
    const { provider, queue, options, statistics } = this.#parts;
    const oldest = this.#clock.now() - options.giveUpAfterMs;
    const isTooOld = (it: Invalidation) => it.requestedAt.getTime() <= oldest;
    const given = sent.filter(isTooOld).map(({ id }) => id);
    const kept = sent.filter((it) => !isTooOld(it)).map(({ id }) => id);
    if (kept.length > 0) await queue.postpone(kept, why);
    if (given.length > 0) await queue.fail(given, why.error);
    statistics.abandoned(provider.name, given.length);
  }

  #backoffMs(failedBefore: number): number {
    const { delayMs, maxDelayMs } = this.#parts.options.retry;
    const full = Math.min(delayMs * 2 ** Math.min(failedBefore, 30), maxDelayMs);
    return Math.ceil(full * (1 - JITTER * Math.random()));
  }
}

function retryAfterOf(failure: unknown): number | undefined {
  if (failure instanceof ProviderRateLimitedError) return failure.retryAfterMs ?? DEFAULT_PAUSE_MS;
  return failure instanceof ProviderUnavailableError ? failure.retryAfterMs : undefined;
}

function limitsOf({ limits }: PurgeProvider, { kind }: PlannedPurge): PurgeKindLimits {
  return limits[kind] ?? limits.everything;
}

/** The request for those purges only that this process has claimed. */
function withOnly(planned: PlannedPurge, ids: ReadonlySet<string>): PlannedPurge {
  const covers = planned.covers.filter(({ id }) => ids.has(id));
  const wanted = new Set(covers.map(({ value }) => value));
  return { ...planned, covers, values: planned.values.filter((it) => wanted.has(it)) };
}
