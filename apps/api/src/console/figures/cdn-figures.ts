import { type Cdn, type CdnInvalidation, type Invalidation, type ReleaseSizes } from '@peregrine/cdn';
import {
  type CdnFigures,
  type OriginFigures,
  type PurgeFigures,
  type ReleaseFigures,
} from '@peregrine/console';
import { LastKnown } from './last-known.js';

const PURGES = { maxAgeMs: 2_000, waitMs: 1_000 };
const MOST_PURGES = 20;
/** Their files are counted once for each release; what is new is seen within seconds. */
const RELEASES = { maxAgeMs: 5_000, waitMs: 1_000 };
const MOST_RELEASES = 10;

/** Origins of this process, and purges of the platform as far as their store answers. */
export class CdnReader {
  readonly #cdn: Cdn;
  readonly #invalidation: CdnInvalidation;
  readonly #purges: LastKnown<Pick<CdnFigures, 'pending' | 'ended'>>;
  readonly #releases: LastKnown<ReleaseFigures[]>;
  /** By the id of the release: its files do not change. */
  #sizes = new Map<string, ReleaseSizes>();

  constructor(cdn: Cdn, invalidation: CdnInvalidation) {
    this.#cdn = cdn;
    this.#invalidation = invalidation;
    this.#purges = new LastKnown(() => this.#readPurges(), { pending: [], ended: [] }, PURGES);
    this.#releases = new LastKnown(() => this.#readReleases(), [], RELEASES);
  }

  async read(): Promise<CdnFigures> {
    const [purges, releases] = await Promise.all([this.#purges.get(), this.#releases.get()]);
    return {
      providers: this.#invalidation.providers,
      origins: this.#cdn.origins.map((it) => originFigures(it)),
      edges: this.#cdn.edges().map(({ source, requests, hitRatio }) => ({
        source,
        requests: Object.values(requests).reduce((sum, it) => sum + it, 0),
        hitRatio: hitRatio ?? null,
      })),
      releases: releases.value,
      ...purges.value,
      problem: purges.problem,
    };
  }

  /** After an operator changed something. */
  expire(): void {
    this.#purges.expire();
  }

  /** Of the assets: the other origins have files of packages, without releases. */
  async #readReleases(): Promise<ReleaseFigures[]> {
    const [assets] = this.#cdn.origins;
    const { current, live = [] } = assets?.releases.known ?? {};
    const sizes = new Map<string, ReleaseSizes>();
    for (const release of live.slice(0, MOST_RELEASES)) {
      const known = this.#sizes.get(release.id) ?? (await assets?.sizesOf(release));
      if (known) sizes.set(release.id, known);
    }
    this.#sizes = sizes;
    return live.slice(0, MOST_RELEASES).flatMap((it) => {
      const its = sizes.get(it.id);
      if (!its) return [];
      const publishedAt = new Date(it.publishedAtMs).toISOString();
      const { files, sizeBytes, codedBytes } = its;
      const isCurrent = it === current;
      return [{ id: it.id, publishedAt, isCurrent, files, sizeBytes, codedBytes: { ...codedBytes } }];
    });
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

function purgeFigures({ target, requestedAt, notBefore, ...purge }: Invalidation): PurgeFigures {
  const { id, provider, state, attempts, soft, error } = purge;
  const { kind, value } = target;
  return {
    ...{ id, provider, kind, value, state, attempts, soft, error },
    requestedAt: requestedAt.toISOString(),
    notBefore: notBefore.toISOString(),
  };
}
