import { type ChainableCommander, type Redis } from 'ioredis';
import { MARK_MS, RelayStaleError, SETTLED_MARK_MS } from '../transactional/joinable-store.js';
import { LevelledRedisBackend } from './levelled-redis-backend.js';
import { toBullJob } from './new-job.js';
import { type JobRelay, type RelayedJob, type StoreQueue } from './queue-backend.js';
import { SingleFlight } from './single-flight.js';

/** What the next `addJobs` has to look at and to set, a key for each job. */
export interface Marks {
  keys: readonly string[];
  isFresh: () => boolean;
}

/** Adds only jobs whose mark is not set, and sets it in the same transaction. Needs the connection for itself. */
export class MarkingRedisBackend extends LevelledRedisBackend {
  constructor(
    private readonly marks: Marks,
    ...args: ConstructorParameters<typeof LevelledRedisBackend>
  ) {
    super(...args);
  }

  override async addJobs(entries: Parameters<LevelledRedisBackend['addJobs']>[0]): Promise<string[]> {
    const { keys, isFresh } = this.marks;
    const { main } = this.connections;
    // Whoever else takes one of them from here on makes the transaction fail.
    await main.watch(...keys);
    const present = await main.mget(...keys);
    if (!isFresh()) throw new RelayStaleError();
    const transaction = (await this.queue.client).multi();
    const added = entries.flatMap(({ job, jobId, parentKeyOpts }, index) => {
      const key = keys[index] as string;
      if (present[index] !== null) return [];
      // Put into the transaction before it is waited for, as BullMQ does it.
      void this.addJobToTransaction(transaction, job, jobId, parentKeyOpts);
      (transaction as unknown as ChainableCommander).set(key, 1, 'PX', MARK_MS);
      return [key];
    });
    if (added.length > 0) await this.#execute(transaction, added);
    return entries.map((it) => it.jobId);
  }

  /** @param keys of the added jobs: two commands each */
  async #execute(
    transaction: { exec(): Promise<[Error | null, unknown][] | null> },
    keys: readonly string[],
  ): Promise<void> {
    const answers = await transaction.exec();
    if (!answers) throw new RelayStaleError();
    const failed = keys.filter((_key, index) => answers[2 * index]?.[0]);
    if (failed.length === 0) return;
    await this.connections.main.unlink(...failed);
    throw answers.find(([error]) => error)?.[0] as Error;
  }
}

/** Takes in what comes from an outbox. */
export class RedisRelay implements JobRelay {
  readonly #marks: Marks = { keys: [], isFresh: () => true };
  readonly #queue = new SingleFlight<StoreQueue>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    /** Of its own; connected, or fails soon. */
    private readonly client: () => Promise<Redis>,
    private readonly openQueue: (client: Redis, marks: Marks) => Promise<StoreQueue>,
    private readonly markPrefix: string,
    private readonly disconnect: () => Promise<void>,
  ) {}

  /** One at a time, also when the caller did not wait for the one before. */
  take(rows: readonly RelayedJob[], isFresh: () => boolean): Promise<void> {
    const taken = this.#last.then(() => this.#take(rows, isFresh));
    this.#last = taken.catch(() => undefined);
    return taken;
  }

  async settle(markers: readonly string[]): Promise<void> {
    const pipeline = (await this.client()).pipeline();
    for (const marker of markers) pipeline.pexpire(this.#key(marker), SETTLED_MARK_MS);
    await pipeline.exec();
  }

  async close(): Promise<void> {
    const queue = await this.#queue.current?.catch(() => undefined);
    await queue?.close();
    await this.disconnect();
  }

  async #take(rows: readonly RelayedJob[], isFresh: () => boolean): Promise<void> {
    const client = await this.client();
    const queue = await this.#queue.get(() => this.openQueue(client, this.#marks));
    Object.assign(this.#marks, { keys: rows.map((it) => this.#key(it.marker)), isFresh });
    await queue.addBulk(rows.map((it) => toBullJob(it.job)));
  }

  #key(marker: string): string {
    return `${this.markPrefix}${marker}`;
  }
}
