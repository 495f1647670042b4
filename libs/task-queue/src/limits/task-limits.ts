import { type AnyTaskDefinition } from '../definition/task-definition.js';
import { decodePayload, type EncodedPayload } from '../definition/task-payload.js';
import { type TaskStatistics } from '../statistics/task-statistics.js';
import { InvalidRateLimitError, PermanentTaskError, QueueUnavailableError } from '../task-queue.errors.js';
import { type ThrottledLog } from '../throttled-log.js';
import { type RateLimitRequest } from './rate-limit-input.js';
import { delayMsOf, type RateLimiter } from './rate-limiter.js';

/** A task that may not run yet. */
export interface Postponement {
  /** Whole milliseconds. */
  readonly delayMs: number;
  /** What was promised to it, to be shown when it comes back; 0 for nothing. */
  readonly slotUs: number;
}

/** How long a task is put off while nobody can say whether it may run. */
const UNKNOWN_DELAY_MS = 1_000;

/** Holds tasks to the `rateLimit` of their definitions. A task takes its tokens before every run. */
export class TaskLimits {
  /** @param fallback asked while the limiter's store does not answer; without it, tasks are put off then */
  constructor(
    private readonly limiter: RateLimiter,
    private readonly statistics: TaskStatistics,
    private readonly log: ThrottledLog,
    private readonly fallback?: RateLimiter,
  ) {}

  /**
   * Takes the tokens of a run.
   *
   * @param slotUs of the task's last postponement, if it has not been claimed in between; else 0
   * @returns `undefined`: it may run
   * @throws {PermanentTaskError} the definition's `key` or `cost` makes no sense of the payload
   */
  async postpone(
    definition: AnyTaskDefinition,
    payload: EncodedPayload,
    slotUs: number,
  ): Promise<Postponement | undefined> {
    const request = await this.#request(definition, payload);
    const postponement = request && (await this.#take(definition.name, request, slotUs));
    if (!postponement) return undefined;
    const counters = this.statistics.of(definition.name);
    counters.rateLimited++;
    counters.rateLimitWaitMs += postponement.delayMs;
    return postponement;
  }

  /** The handler was told to come back later; so are the others of its key, where the definition says so. */
  async pause(definition: AnyTaskDefinition, payload: EncodedPayload, delayMs: number): Promise<void> {
    if (!definition.rateLimit?.pauseOnRetryAfter) return;
    try {
      const request = await this.#request(definition, payload);
      await this.limiter.penalize(definition.name, request?.key, delayMs);
    } catch (error) {
      this.log.warn('A rate limit could not be paused', error);
    }
  }

  async #take(name: string, request: RateLimitRequest, slotUs: number): Promise<Postponement | undefined> {
    try {
      const answer = await this.limiter.take(name, request, slotUs);
      return answer.granted ? undefined : { delayMs: delayMsOf(answer), slotUs: answer.slotUs };
    } catch (error) {
      if (error instanceof InvalidRateLimitError)
        throw new PermanentTaskError(error.message, { cause: error });
      if (!(error instanceof QueueUnavailableError)) throw error;
      this.log.warn('The rate limits could not be looked up', error);
      return this.#takeWithoutStore(name, request);
    }
  }

  async #takeWithoutStore(name: string, request: RateLimitRequest): Promise<Postponement | undefined> {
    if (!this.fallback) return { delayMs: UNKNOWN_DELAY_MS, slotUs: 0 };
    const answer = await this.fallback.take(name, request, 0, 0);
    return answer.granted ? undefined : { delayMs: delayMsOf(answer), slotUs: 0 };
  }

  /** `undefined`: no limit, or a payload that will not run. */
  async #request(
    definition: AnyTaskDefinition,
    payload: EncodedPayload,
  ): Promise<RateLimitRequest | undefined> {
    const { rateLimit } = definition;
    if (!rateLimit) return undefined;
    const { ratePerSecond, burst } = rateLimit;
    if (!rateLimit.key && !rateLimit.cost) return { ratePerSecond, burst };
    // A payload that cannot be read fails where it is run.
    const decoded = await decodePayload(definition, payload).then(
      (value) => ({ value }),
      () => undefined,
    );
    if (!decoded) return undefined;
    try {
      return {
        ratePerSecond,
        burst,
        key: rateLimit.key?.(decoded.value),
        cost: rateLimit.cost?.(decoded.value),
      };
    } catch (error) {
      const problem = `The rate limit of ${definition.name} has no key or cost for the payload: ${String(error)}`;
      throw new PermanentTaskError(problem, { cause: error });
    }
  }
}
