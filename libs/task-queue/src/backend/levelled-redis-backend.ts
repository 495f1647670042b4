import { RedisQueueBackend } from 'bullmq';
import { type Redis } from 'ioredis';
import { STALL_FAILURE } from '../dead-letters/stall-failure.js';
import { type WorkerInput } from './queue-backend.js';
import { LEVEL_STALLED } from './redis-scripts.js';

/** The connections of a queue or a worker, which are ours, and how to end one. */
export interface RedisConnections {
  readonly main: Redis;
  readonly blocking: Redis | undefined;
  readonly disconnect: (client: Redis) => Promise<void>;
  readonly onStallFailures: WorkerInput['onStallFailures'] | undefined;
}

/** BullMQ's backend on Redis, where it differs from the one on PostgreSQL. */
export class LevelledRedisBackend extends RedisQueueBackend {
  constructor(
    protected readonly connections: RedisConnections,
    ...args: ConstructorParameters<typeof RedisQueueBackend>
  ) {
    super(...args);
  }

  /** Interrupts the wait for tasks also while the connection is down; BullMQ's own would never come back. */
  override async disconnectBlocking(): Promise<void> {
    const { blocking, disconnect } = this.connections;
    if (blocking) await disconnect(blocking);
  }

  /**
   * BullMQ puts the tasks of a dead worker before all others. Here they go back to their own priority, as on
   * PostgreSQL, in the same transaction: nobody sees them in between, and a process that dies cannot leave them. Those
   * whose workers died too often it only marks, and fails when a worker claims them once more, which may be never; here
   * they fail at once.
   */
  override async moveStalledJobsToWait(): Promise<string[]> {
    const transaction = this.connections.main.multi();
    const script = `moveStalledJobsToWait:${this.version}`;
    const run = Reflect.get(transaction, script) as ((args: unknown[]) => unknown) | undefined;
    if (!run) throw new Error(`BullMQ has no script ${script}`);
    run.call(transaction, this.moveStalledJobsToWaitArgs());
    const keys = ['wait', 'prioritized', 'failed'].map((it) => this.toKey(it));
    transaction.eval(LEVEL_STALLED, keys.length, ...keys, this.toKey(''), Date.now(), STALL_FAILURE);
    const answers = (await transaction.exec()) ?? [];
    for (const [error] of answers) if (error) throw error;
    const failed = (answers[1]?.[1] ?? []) as string[];
    if (failed.length > 0) this.connections.onStallFailures?.(failed);
    return (answers[0]?.[1] ?? []) as string[];
  }
}
