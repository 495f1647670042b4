import { type CdnClock, pauseFor } from '../clock.js';
import { PurgeNotSeenError } from '../providers/provider.errors.js';
import { type ProbeOptions } from './invalidation.options.js';
import { type PlannedPurge } from './purge-plan.js';

/** Enough to see that the provider did it, few enough not to be a load. */
const MAX_PATHS = 3;
/** What was purged may be there no longer. */
const GONE = new Set([404, 410]);
/** `Age` is whole seconds, and clocks differ. */
const SLACK_SECONDS = 1;

/**
 * Looks through the CDN whether a purge was done. A copy that is older than the purge by its `Age` (RFC 9111, section
 * 5.1) was kept. An answer without `Age` tells nothing, nor does one that the probe is refused: it has no credentials.
 */
export class PurgeProbe {
  constructor(
    private readonly options: ProbeOptions,
    private readonly clock: CdnClock,
    private readonly timeoutMs: number,
  ) {}

  /**
   * @param purgedAt when the purge was sent, epoch milliseconds
   * @returns true: fresh copies were seen; null: nothing could be told
   * @throws {PurgeNotSeenError} an old copy is still served after all attempts
   */
  async verify(
    provider: string,
    purge: PlannedPurge,
    purgedAt: number,
    signal: AbortSignal,
  ): Promise<true | null> {
    const paths = purge.kind === 'path' ? purge.values : this.options.paths;
    let seen: true | null = null;
    for (const path of paths.slice(0, MAX_PATHS)) {
      seen = (await this.#look(provider, path, purgedAt, signal)) ?? seen;
    }
    return seen;
  }

  async #look(provider: string, path: string, purgedAt: number, signal: AbortSignal): Promise<true | null> {
    for (let attempt = 1; ; attempt++) {
      const age = await this.#ageOf(path, signal);
      if (age === undefined) return null;
      const sincePurge = (this.clock.now() - purgedAt) / 1_000;
      if (age <= sincePurge + SLACK_SECONDS) return true;
      if (attempt >= this.options.attempts) throw new PurgeNotSeenError(provider, path, age);
      await pauseFor(this.clock, this.options.delayMs * 2 ** (attempt - 1), signal);
    }
  }

  /** Seconds; `undefined` when the answer does not say, or there was none: the purge itself may still be done. */
  async #ageOf(path: string, signal: AbortSignal): Promise<number | undefined> {
    try {
      const response = await fetch(new URL(path, this.options.baseUrl), {
        method: 'HEAD',
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.timeoutMs)]),
      });
      const age = response.headers.get('age');
      const isTelling = response.ok || GONE.has(response.status);
      return isTelling && age !== null && /^\d{1,9}$/.test(age) ? Number(age) : undefined;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}
