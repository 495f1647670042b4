import { Logger } from '@nestjs/common';
import { type TappedServer } from '../execution/tapped-server.js';
import { type DatabaseIdentity, type PrimarySample, type Replica, type ReplicaReport } from './replica.js';
import { UnreplayedWrites } from './unreplayed-writes.js';
import { walPosition } from './wal-position.js';

/** Why a read that a replica might have answered went to the primary. */
export const BYPASS_REASONS = ['NO_REPLICA', 'WRITTEN', 'FAILED'] as const;
export type BypassReason = (typeof BYPASS_REASONS)[number];

export interface ReplicasReport {
  readonly replicas: readonly ReplicaReport[];
  /** Reads that went to the primary: no replica was up and within the bound; none had the writes; one failed. */
  readonly bypassed: Readonly<Record<BypassReason, number>>;
}

const POSITION = 'SELECT pg_current_wal_insert_lsn()::text AS position';
const IDENTITY = `
SELECT system_identifier::text AS cluster, current_database()::text AS name FROM pg_control_system()`;
/** Of the primary's log; a replica that is further behind has a lag that is not known. */
const MAX_SAMPLES = 1_000;

/** The replicas of a primary, and what they must have replayed before they are asked. */
export class ReplicaSet {
  readonly writes = new UnreplayedWrites();
  readonly #logger = new Logger(ReplicaSet.name);
  readonly #samples: PrimarySample[] = [];
  readonly #bypassed: Record<BypassReason, number> = { NO_REPLICA: 0, WRITTEN: 0, FAILED: 0 };
  #identity: DatabaseIdentity | undefined;
  #isKnown = true;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #turn = 0;

  constructor(
    private readonly primary: TappedServer,
    private readonly replicas: readonly Replica[],
    private readonly checkEveryMs: number,
  ) {}

  start(): void {
    this.#looking = this.#look();
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look();
    }, this.checkEveryMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#looking, ...this.replicas.map((it) => it.close())]);
  }

  /**
   * The replica that is asked: within the bound of lag, with every write of the tags, and least busy.
   *
   * @param tagsOf what the read depends on
   */
  choose(tagsOf: () => readonly string[]): Replica | undefined {
    const fresh = this.replicas.filter((it) => it.isFresh);
    if (fresh.length === 0) return this.bypass('NO_REPLICA');
    const able = this.writes.isEmpty ? fresh : this.#withWrites(fresh, tagsOf());
    if (able.length === 0) return this.bypass('WRITTEN');
    // Of those that are equally busy each in its turn.
    const turn = this.#turn++ % able.length;
    return [...able.slice(turn), ...able.slice(0, turn)].reduce((best, it) =>
      it.load < best.load ? it : best,
    );
  }

  /** Counts a read that goes to the primary. */
  bypass(reason: BypassReason): undefined {
    this.#bypassed[reason]++;
  }

  report(): ReplicasReport {
    return { replicas: this.replicas.map((it) => it.report()), bypassed: { ...this.#bypassed } };
  }

  #withWrites(replicas: readonly Replica[], tags: readonly string[]): Replica[] {
    return replicas.filter(
      ({ position }) => position !== undefined && this.writes.isReplayed(tags, position),
    );
  }

  /** First the primary: what it says is then compared with what the replicas have. */
  async #look(): Promise<void> {
    try {
      this.#identity ??= await this.#identify();
      await this.#sample();
      const identity = this.#identity;
      this.#isKnown = true;
      // One that does not answer keeps nobody from asking the others again.
      for (const it of this.replicas) void it.look(identity, this.#samples).then(() => this.#forget());
    } catch (error) {
      if (this.#isKnown)
        this.#logger.warn(`Where the log of the primary stands is not known: ${(error as Error).message}`);
      this.#isKnown = false;
    }
    this.#looking = undefined;
  }

  async #identify(): Promise<DatabaseIdentity> {
    const [row] = await this.primary.unseen(IDENTITY);
    return row as unknown as DatabaseIdentity;
  }

  async #sample(): Promise<void> {
    const place = this.writes.ask();
    const at = performance.now();
    const [row] = await this.primary.unseen(POSITION);
    const position = walPosition(row?.['position']);
    if (position === undefined) return;
    place(position);
    this.#samples.push({ at, position });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  /** Of the replicas that may be chosen all have it; the others are behind until they have it too. */
  #forget(): void {
    const positions = this.replicas.map((it) => it.position);
    if (positions.includes(undefined)) return;
    const least = positions.reduce((a, b) => (a !== undefined && b !== undefined && a < b ? a : b));
    if (least !== undefined) this.writes.forget(least);
  }
}
