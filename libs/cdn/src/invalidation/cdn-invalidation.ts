import { type InvalidationRequest, type ParsedInvalidation, parseInvalidation } from './purge-target.js';
import { UnknownProviderError } from './invalidation.errors.js';
import { type Invalidation, type InvalidationQueue } from './invalidation-queue.js';
import { type MetricFamily } from '../nest/metric-family.js';
import { type PurgeStatistics } from './purge-statistics.js';

const MAX_LISTED = 10_000;
const DEFAULT_HISTORY = 100;

/** Starts the delivery of what was added: in this process, or as a task of a worker. */
export interface PurgeDispatch {
  /** Called after purges of these providers were added. Must not wait for their delivery. */
  dispatch(providers: readonly string[]): Promise<void>;
}

export interface CdnInvalidationParts {
  readonly queue: InvalidationQueue;
  readonly dispatch: PurgeDispatch;
  /** Names of the configured ones; none: everything below does nothing. */
  readonly providers: readonly string[];
  readonly statistics: PurgeStatistics;
}

/** Invalidates what CDNs keep of our answers. A `MetricSource`: `name` and `collect()`. */
export class CdnInvalidation {
  /** As a source of metrics. */
  readonly name = 'cdn-invalidation';
  readonly #parts: CdnInvalidationParts;

  constructor(parts: CdnInvalidationParts) {
    this.#parts = parts;
  }

  /** The configured providers. */
  get providers(): readonly string[] {
    return this.#parts.providers;
  }

  /**
   * Queues purges at every provider, or at those named. Answers when they are queued, not when they are done; what is
   * pending already is not queued twice. Without a provider there is nothing to do and the answer is empty.
   *
   * @returns one line for each target and provider
   * @throws {InvalidPurgeTargetError} nothing was queued
   * @throws {UnknownProviderError} nothing was queued
   * @throws {InvalidationQueueUnavailableError}
   */
  async queueInvalidation(request: InvalidationRequest): Promise<Invalidation[]> {
    return this.#queue(parseInvalidation(request));
  }

  /** {@link queueInvalidation} of everything. */
  async invalidateAll(
    options: { readonly soft?: boolean; readonly providers?: string[] } = {},
  ): Promise<Invalidation[]> {
    return this.queueInvalidation({ everything: true, ...options });
  }

  /** What is not done, oldest first, at most 10,000. @throws {InvalidationQueueUnavailableError} */
  async getPendingInvalidations(limit = MAX_LISTED): Promise<Invalidation[]> {
    return this.#parts.queue.pending(limit);
  }

  /** What is done or was given up, newest first. @throws {InvalidationQueueUnavailableError} */
  async getInvalidationHistory(limit = DEFAULT_HISTORY): Promise<Invalidation[]> {
    return this.#parts.queue.history(limit);
  }

  /** Figures for a scrape. Rejects while the queue does not answer. */
  async collect(): Promise<MetricFamily[]> {
    const { queue, statistics, providers } = this.#parts;
    const counts = await queue.counts();
    const idle = providers.filter((name) => !counts.some((it) => it.provider === name));
    return statistics.collect([
      ...counts,
      ...idle.map((provider) => ({ provider, pending: 0, oldestAgeMs: 0 })),
    ]);
  }

  async #queue({ targets, soft, providers }: ParsedInvalidation): Promise<Invalidation[]> {
    const { queue, dispatch, providers: known } = this.#parts;
    const unknown = providers?.find((it) => !known.includes(it));
    if (unknown !== undefined) throw new UnknownProviderError(unknown, known);
    const chosen = [...new Set(providers ?? known)].sort();
    if (chosen.length === 0) return [];
    const added = await queue.add(
      chosen.flatMap((provider) => targets.map((target) => ({ provider, target, soft }))),
    );
    await dispatch.dispatch(chosen);
    return added;
  }
}
