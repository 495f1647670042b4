import { Logger } from '@nestjs/common';
import { DatabaseError } from 'pg';
import { type TappedServer } from '../execution/tapped-server.js';
import { type WalPosition, walPosition } from './wal-position.js';

/** Of one replica. */
export interface ReplicaReport {
  /** `host:port`. */
  readonly name: string;
  /** `down`: it does not answer, or is no replica of this database; `behind`: slow, or by more than `maxLagMs`. */
  readonly state: 'up' | 'behind' | 'down';
  /** It has everything that was committed this long ago, milliseconds; null before that is known. */
  readonly lagMs: number | null;
  /** Reads that it was asked. */
  readonly reads: number;
  /** Reads that it could not answer, and the primary was asked. */
  readonly failures: number;
}

/** Where the primary's log stood at some time. */
export interface PrimarySample {
  /** Before the primary was asked, milliseconds of the monotonic clock. */
  readonly at: number;
  readonly position: WalPosition;
}

export interface ReplicationOptions {
  /** A replica is asked only if it has everything that was committed this long ago, milliseconds. */
  readonly maxLagMs: number;
  /** How often primary and replicas are asked how far they are, milliseconds. */
  readonly checkEveryMs: number;
}

/** An answer takes this part of `maxLagMs` at most, or the replica has something else to do. */
const PROMPT = 4;
const NOT_ASKED = 'it has not been asked yet';

const STATE = `
SELECT pg_is_in_recovery() AS is_standby, pg_last_wal_replay_lsn()::text AS position, current_database()::text AS name,
       (SELECT system_identifier::text FROM pg_control_system()) AS cluster`;

/** What identifies a database together with all its physical copies. */
export interface DatabaseIdentity {
  readonly cluster: string;
  readonly name: string;
}

/**
 * A streaming replica. How old its answers may be is known without comparing the clocks of two machines: it has what the
 * primary had when its log stood where the replica's stands now.
 */
export class Replica {
  readonly #logger = new Logger(Replica.name);
  #server: TappedServer;
  #position: WalPosition | undefined;
  #knownUpTo = -Infinity;
  #problem: string | undefined = NOT_ASKED;
  #isAsked = false;
  /** The first question since its last answer. */
  #unansweredSince = Infinity;
  #reads = 0;
  #failures = 0;
  #isClosed = false;

  /** @param reopen called when the connections of the server were given up */
  constructor(
    readonly name: string,
    private readonly limits: ReplicationOptions,
    server: TappedServer,
    private readonly reopen: () => TappedServer,
  ) {
    this.#server = server;
  }

  get server(): TappedServer {
    return this.#server;
  }

  /** How much of the log it has replayed; undefined before that is known. */
  get position(): WalPosition | undefined {
    return this.#position;
  }

  /** Whether it answers in time, and its answers are within the bound. */
  get isFresh(): boolean {
    const { maxLagMs } = this.limits;
    const isPrompt = performance.now() - this.#unansweredSince <= maxLagMs / PROMPT;
    return this.#problem === undefined && isPrompt && this.#lagMs <= maxLagMs;
  }

  /** Callers at work or waiting for each of its connections. */
  get load(): number {
    const { inUse, waiting, capacity } = this.#server.pool.statistics();
    return (inUse + waiting.high + waiting.normal + waiting.low) / capacity;
  }

  report(): ReplicaReport {
    const lagMs = this.#lagMs;
    return {
      name: this.name,
      state: this.#problem !== undefined ? 'down' : this.isFresh ? 'up' : 'behind',
      lagMs: Number.isFinite(lagMs) ? lagMs : null,
      reads: this.#reads,
      failures: this.#failures,
    };
  }

  /** Asks how far it is. Never rejects. @param samples of the primary, oldest first */
  async look(identity: DatabaseIdentity, samples: readonly PrimarySample[]): Promise<void> {
    await this.#giveUpIfSilent();
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#unansweredSince = Math.min(this.#unansweredSince, performance.now());
    const server = this.#server;
    const isGivenUp = () => server !== this.#server;
    try {
      const [row = {}] = await server.unseen(STATE);
      if (!isGivenUp()) this.#learn(row, identity, samples);
    } catch (error) {
      if (!isGivenUp()) this.#fails((error as Error).message);
    }
    if (!isGivenUp()) this.#isAsked = false;
  }

  /** A read of a caller's. @throws what the server throws */
  read<T>(work: (server: TappedServer) => Promise<T>): Promise<T> {
    this.#reads++;
    return work(this.#server);
  }

  /** It could not answer a read. When it cannot be reached, it is not asked before it has said how far it is. */
  failed(error: unknown): void {
    this.#failures++;
    if (!(error instanceof DatabaseError) || error.severity === 'FATAL')
      this.#fails(error instanceof Error ? error.message : String(error));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#server.pool.close();
  }

  get #lagMs(): number {
    return performance.now() - this.#knownUpTo;
  }

  #learn(
    row: Readonly<Record<string, unknown>>,
    identity: DatabaseIdentity,
    samples: readonly PrimarySample[],
  ): void {
    this.#unansweredSince = Infinity;
    const position = walPosition(row['position']);
    if (row['cluster'] !== identity.cluster || row['name'] !== identity.name)
      return this.#fails('it is no copy of the primary');
    if (row['is_standby'] !== true || position === undefined) return this.#fails('it is no standby any more');
    this.#position = position;
    const has = samples.findLast((it) => it.position <= position);
    if (has) this.#knownUpTo = Math.max(this.#knownUpTo, has.at);
    if (this.#problem !== undefined && this.#problem !== NOT_ASKED)
      this.#logger.log(`The replica ${this.name} answers`);
    this.#problem = undefined;
  }

  #fails(problem: string): void {
    if (this.#isClosed) return;
    if (this.#problem === undefined || this.#problem === NOT_ASKED)
      this.#logger.warn(`The replica ${this.name} is not used: ${problem}`);
    this.#problem = problem;
  }

  /** A machine that is gone says nothing: those who wait for it are sent elsewhere. */
  async #giveUpIfSilent(): Promise<void> {
    const silent = this.#server;
    const isSilent = performance.now() - this.#unansweredSince > this.limits.maxLagMs;
    if (!isSilent || this.#isClosed || silent.pool.statistics().inUse === 0) return;
    this.#fails(`no answer within ${this.limits.maxLagMs} ms`);
    this.#server = this.reopen();
    this.#isAsked = false;
    this.#unansweredSince = Infinity;
    await silent.pool.close(0);
  }
}
