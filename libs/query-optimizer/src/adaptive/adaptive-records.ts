import { type AdvisorClient } from '../advisor/advisor.options.js';
import { IndexLedger, type LedgerEntry } from '../index-builder/index-ledger.js';
import { type AdaptiveIndexingOptions } from './adaptive-indexing.options.js';
import { type AdaptiveRound, type AdaptiveStatus } from './adaptive-round.js';
import { adaptiveTables } from './adaptive-tables.js';
import { type BuildHours } from './build-hours.js';
import { type Spent } from './daily-budget.js';
import { RecommendationStore } from './recommendation-store.js';
import { asking, isRoundUnderWay } from './round-session.js';
import { RoundStore } from './round-store.js';
import { type StoredRecommendation } from './stored-recommendation.js';

/** What rounds have written, for those who only look. Tables that are not there yet are empty. */
export class AdaptiveRecords {
  constructor(
    private readonly options: AdaptiveIndexingOptions,
    private readonly hours: BuildHours,
  ) {}

  /** @throws the driver's error */
  recommendations(): Promise<{ readonly all: readonly StoredRecommendation[]; readonly spent: Spent }> {
    return this.#look(async ({ store, ledger }) => ({
      all: store === null ? [] : await store.list(),
      spent: await spentBy(ledger),
    }));
  }

  /** @throws the driver's error */
  rounds(limit: number): Promise<readonly AdaptiveRound[]> {
    return this.#look(async ({ rounds }) => (rounds === null ? [] : rounds.list(limit)));
  }

  /** @throws the driver's error */
  ledger(limit?: number): Promise<readonly LedgerEntry[]> {
    return this.#look(async ({ ledger }) => (ledger === null ? [] : ledger.list(limit)));
  }

  /** @throws the driver's error */
  status(): Promise<AdaptiveStatus> {
    const { mode, indexesPerDay, bytesPerDay } = this.options;
    const now = this.options.now();
    const opening = this.hours.nextOpening(now);
    return this.#look(async ({ client, store, rounds, ledger }) => {
      const { indexes, bytes } = await spentBy(ledger);
      const [lastRound = null] = rounds === null ? [] : await rounds.list(1);
      return {
        mode,
        mayBuildNow: this.hours.includes(now),
        nextBuildAt: opening === null ? null : new Date(opening),
        budget: { indexesPerDay, bytesPerDay, indexesUsed: indexes, bytesUsed: bytes },
        isBusy: await isRoundUnderWay(asking(client)),
        lastRound,
        recommendations: store === null ? {} : await store.counts(),
      };
    });
  }

  async #look<T>(work: (records: Records) => Promise<T>): Promise<T> {
    const client = await this.options.source.connect();
    let isBroken = true;
    try {
      const result = await work(await recordsOf(client, this.options.schema));
      isBroken = false;
      return result;
    } finally {
      client.release(isBroken);
    }
  }
}

interface Records {
  readonly client: AdvisorClient;
  readonly store: RecommendationStore | null;
  readonly rounds: RoundStore | null;
  readonly ledger: IndexLedger | null;
}

async function recordsOf(client: AdvisorClient, schema: string): Promise<Records> {
  const tables = adaptiveTables(schema);
  const store = new RecommendationStore(asking(client), tables);
  const isThere = await store.exists();
  const ledger = new IndexLedger(client, schema);
  return {
    client,
    store: isThere ? store : null,
    rounds: isThere ? new RoundStore(asking(client), tables) : null,
    ledger: (await ledger.exists()) ? ledger : null,
  };
}

const spentBy = async (ledger: IndexLedger | null): Promise<Spent> =>
  ledger === null ? { indexes: 0, bytes: 0 } : ledger.spentInADay();
