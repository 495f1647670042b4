import { type Cdn, type CdnInvalidation, type Invalidation } from '@peregrine/cdn';
import { type CdnFigures, type OriginFigures, type PurgeFigures } from '@peregrine/console';
import { LastKnown } from './last-known.js';

const PURGES = { maxAgeMs: 2_000, waitMs: 1_000 };
const MOST_PURGES = 20;

/** Origins of this process, and purges of the platform as far as their store answers. */
export class CdnReader {
  readonly #cdn: Cdn;
  readonly #invalidation: CdnInvalidation;
  readonly #purges: LastKnown<Pick<CdnFigures, 'pending' | 'ended'>>;

  constructor(cdn: Cdn, invalidation: CdnInvalidation) {
    this.#cdn = cdn;
    this.#invalidation = invalidation;
    this.#purges = new LastKnown(() => this.#readPurges(), { pending: [], ended: [] }, PURGES);
  }

  async read(): Promise<CdnFigures> {
    const { value, problem } = await this.#purges.get();
    return {
      providers: this.#invalidation.providers,
      origins: this.#cdn.origins.map((it) => originFigures(it)),
      ...value,
      problem,
    };
  }

  /** After an operator changed something. */
  expire(): void {
    this.#purges.expire();
  }

  async #readPurges() {
    const [pending, ended] = await Promise.all([
      this.#invalidation.getPendingInvalidations(MOST_PURGES),
      this.#invalidation.getInvalidationHistory(MOST_PURGES),
    ]);
    return { pending: pending.map(purgeFigures), ended: ended.map(purgeFigures) };
  }
}

function originFigures(origin: Cdn['origins'][number]): OriginFigures {
  const { responses, hitRatio, sentBytes, savedBytes, memoryBytes } = origin.statistics();
  const { current, live } = origin.releases.known;
  return {
    prefix: origin.prefix,
    answers: Object.values(responses).reduce((sum, it) => sum + it, 0),
    failures: responses.serverError,
    hitRatio: hitRatio ?? null,
    sentBytes,
    savedBytes,
    memoryBytes,
    release: current?.id ?? null,
    liveReleases: live.length,
  };
}

function purgeFigures({
  id,
  provider,
  target,
  state,
  attempts,
  requestedAt,
  error,
}: Invalidation): PurgeFigures {
  const { kind, value } = target;
  return { id, provider, kind, value, state, attempts, requestedAt: requestedAt.toISOString(), error };
}
