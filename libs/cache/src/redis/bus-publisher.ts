import type { InvalidationBus } from '../coherence/bus.js';
import { PendingInvalidations } from '../coherence/pending-invalidations.js';
import type { Scope } from '../coherence/scopes.js';
import { MAX_SCOPES } from './bucket.js';
import type { RedisConnection } from './redis-connection.js';

/**
 * Tells the other processes, through one connection as long as it lasts, so that the numbers of the messages arrive in
 * order; in a cluster the nodes pass them on to each other. What could not be sent is kept until it can.
 */
export class BusPublisher {
  readonly unpublished = new PendingInvalidations();
  #connection: RedisConnection | undefined;

  /** @param connections all there are, in any order */
  constructor(
    readonly channel: string,
    private readonly bus: InvalidationBus,
    private readonly connections: () => Iterable<RedisConnection>,
  ) {}

  /** The connection that the next message goes through. */
  get connection(): RedisConnection | undefined {
    const usable = (it: RedisConnection | undefined) => it?.ready === true || it?.started === true;
    if (!usable(this.#connection)) this.#connection = [...this.connections()].find(usable);
    return this.#connection;
  }

  /** To be called when the scopes were invalidated in Redis, or right behind that on the same connection. Never rejects. */
  async publish(scopes: readonly Scope[]): Promise<void> {
    for (let from = 0; from < scopes.length; from += MAX_SCOPES) {
      this.unpublished.add(scopes.slice(from, from + MAX_SCOPES));
      // The first message leaves in this tick.
      await this.flush().catch(() => undefined);
    }
  }

  /** Sends what is kept; another connection takes over from one that fails. Rejects when none can, and keeps it. */
  async flush(): Promise<void> {
    for (
      let part = this.unpublished.take(MAX_SCOPES);
      part.length > 0;
      part = this.unpublished.take(MAX_SCOPES)
    ) {
      const { connection } = this;
      if (connection === undefined) {
        this.unpublished.add(part);
        return;
      }
      try {
        await connection.runInRecovery(['PUBLISH', this.channel, this.bus.message(part)]);
      } catch (error) {
        this.unpublished.add(part);
        connection.suspend(error);
        if (this.connection === undefined) throw error;
      }
    }
  }

  /** Lets the others find out that the last message was lost on its way. */
  beat(): void {
    const { connection } = this;
    const message = this.bus.heartbeat();
    if (connection?.ready !== true || message === undefined) return;
    connection.run(['PUBLISH', this.channel, message]).catch(() => undefined);
  }
}
