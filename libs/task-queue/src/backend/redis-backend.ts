import {
  type ConnectionOptions,
  type IQueueBackend,
  type BackendFactory,
  Queue,
  QueueKeys,
  RedisConnection,
  Worker,
} from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { type RedisBackendOptions } from '../task-queue.options.js';
import { type ThrottledLog } from '../throttled-log.js';
import { LevelledRedisBackend } from './levelled-redis-backend.js';
import { type NewJob } from './new-job.js';
import { type OpenWorker, type QueueBackend, type StoreQueue, type WorkerInput } from './queue-backend.js';
import { RedisDeadLetters } from './redis-dead-letters.js';
import { RedisOperations } from './redis-operations.js';
import { addBullJobs } from './bull-submission.js';
import { addPlainJobs, isPlain } from './redis-submission.js';
import { type Marks, MarkingRedisBackend, RedisRelay } from './redis-relay.js';
import { SingleFlight } from './single-flight.js';
import { QUEUE_STREAMS, workerOptions } from './worker-options.js';

const QUEUE_NAME = 'tasks';
const MAX_RECONNECT_DELAY_MS = 2_000;

export interface RedisBackendInput {
  readonly options: RedisBackendOptions;
  readonly prefix: string;
  /** Bound of a connection attempt and of a command of the caller, milliseconds. */
  readonly timeoutMs: number;
  readonly log: ThrottledLog;
}

/** BullMQ on Redis or Valkey. */
export class RedisBackend implements QueueBackend {
  readonly type = 'redis';
  readonly keepsCount = true;
  readonly ordersCalls = true;
  readonly operations: RedisOperations;
  readonly deadLetters: RedisDeadLetters;
  readonly join = null;
  readonly #input: RedisBackendInput;
  readonly #keyPrefix: string;
  readonly #queue = new SingleFlight<StoreQueue>();
  #client: Redis | undefined;
  #connecting: Promise<void> | undefined;

  constructor(input: RedisBackendInput) {
    this.#input = input;
    this.#keyPrefix = new QueueKeys(this.#bullPrefix).toKey(QUEUE_NAME, '');
    this.operations = new RedisOperations(() => this.#connectedClient(), this.#keyPrefix);
    this.deadLetters = new RedisDeadLetters(() => this.#connectedClient(), this.#keyPrefix);
  }

  async queue(): Promise<StoreQueue> {
    const client = await this.#connectedClient();
    return this.#queue.get(() => this.#openQueue(client));
  }

  async add(jobs: readonly NewJob[]): Promise<string[]> {
    const queue = await this.queue();
    if (!jobs.every(isPlain)) return addBullJobs(queue, jobs);
    await addPlainJobs(this.#callerClient(), this.#keyPrefix, jobs);
    return jobs.map((it) => it.id);
  }

  async openWorker(input: WorkerInput): Promise<OpenWorker> {
    const main = this.#connect({ maxRetriesPerRequest: null });
    const blocking = this.#connect({ maxRetriesPerRequest: null });
    const disconnect = async () => {
      await Promise.all([disconnected(main), disconnected(blocking)]);
    };
    try {
      await Promise.all([untilConnected(main), untilConnected(blocking)]);
      const worker = new Worker(
        QUEUE_NAME,
        input.processor,
        this.#options(workerOptions(input)),
        this.#factory(main, blocking, { onStallFailures: input.onStallFailures }),
      );
      worker.on('error', (error) => this.#input.log.warn('The worker met an error', error));
      await worker.waitUntilReady();
      return { worker, disconnect };
    } catch (error) {
      await disconnect();
      throw error;
    }
  }

  async ping(): Promise<void> {
    await (await this.#connectedClient()).ping();
  }

  async close(): Promise<void> {
    const queue = await this.#queue.current?.catch(() => undefined);
    await queue?.close();
    if (this.#client) await disconnected(this.#client);
  }

  /** A connection of its own: what a relay watches must be no other caller's. */
  openRelay(): RedisRelay {
    const client = this.#connect(this.#callerOptions);
    const connecting = new SingleFlight<void>();
    return new RedisRelay(
      async () => {
        if (client.status !== 'ready') {
          await connecting.get(() => untilConnected(client).finally(() => connecting.clear()));
        }
        return client;
      },
      (connected, marks) => this.#openQueue(connected, this.#factory(connected, undefined, { marks })),
      new QueueKeys(this.#bullPrefix).toKey(QUEUE_NAME, 'relayed:'),
      () => disconnected(client),
    );
  }

  async #openQueue(client: Redis, factory = this.#factory(client)): Promise<StoreQueue> {
    const queue = new Queue(QUEUE_NAME, this.#options({ streams: QUEUE_STREAMS }), factory);
    queue.on('error', (error) => this.#input.log.warn('The queue met an error', error));
    await queue.waitUntilReady();
    return queue;
  }

  /** While the connection is down this fails at its next attempt instead of queueing without end. */
  async #connectedClient(): Promise<Redis> {
    const client = this.#callerClient();
    if (client.status !== 'ready') {
      this.#connecting ??= untilConnected(client).finally(() => (this.#connecting = undefined));
      await this.#connecting;
    }
    return client;
  }

  /** A command of a caller is never kept back until Redis returns; it fails, and soon. */
  #callerClient(): Redis {
    this.#client ??= this.#connect(this.#callerOptions);
    return this.#client;
  }

  get #callerOptions(): RedisOptions {
    return { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: this.#input.timeoutMs };
  }

  #connect(options: RedisOptions): Redis {
    const client = new Redis(this.#input.options.url, {
      lazyConnect: true,
      connectTimeout: this.#input.timeoutMs,
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY_MS),
      ...options,
    });
    client.on('error', (error) => this.#input.log.warn('The connection to Redis failed', error));
    return client;
  }

  /** The connections are ours, so that a stop can cut them in whatever state they are. */
  #factory(
    client: Redis,
    blocking?: Redis,
    { onStallFailures, marks }: { onStallFailures?: WorkerInput['onStallFailures']; marks?: Marks } = {},
  ): BackendFactory<IQueueBackend, ConnectionOptions> {
    return (name, options) => {
      const keys = new QueueKeys(this.#bullPrefix);
      const args: ConstructorParameters<typeof LevelledRedisBackend> = [
        { main: client, blocking, disconnect: disconnected, onStallFailures },
        new RedisConnection(client, { shared: true, blocking: false }),
        name,
        keys.getKeys(name),
        (type) => keys.toKey(name, type),
        options,
        blocking && new RedisConnection(blocking, { shared: true, blocking: true }),
      ];
      return marks ? new MarkingRedisBackend(marks, ...args) : new LevelledRedisBackend(...args);
    };
  }

  /** The factory brings the connections; BullMQ only insists that the option is there. */
  #options<T extends object>(options: T): T & { connection: ConnectionOptions; prefix: string } {
    return { ...options, connection: {}, prefix: this.#bullPrefix };
  }

  /** Braces put all keys of the queue into one slot of a Redis Cluster. */
  get #bullPrefix(): string {
    return `{${this.#input.prefix}}`;
  }
}

/** @throws the reason of the next connection attempt that fails */
async function untilConnected(client: Redis): Promise<void> {
  if (client.status === 'ready') return;
  if (client.status === 'end') throw new Error('The connection to Redis is closed');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let reason = new Error('The connection to Redis is down');
  const onError = (error: Error) => {
    reason = error;
  };
  const onClose = () => reject(reason);
  client.on('ready', resolve).on('error', onError).on('close', onClose);
  try {
    if (client.status === 'wait') client.connect().catch(onError);
    await promise;
  } finally {
    client.off('ready', resolve).off('error', onError).off('close', onClose);
  }
}

/**
 * Ends a connection in whatever state it is, and fails the commands that it kept. While ioredis waits to connect
 * again, a plain disconnect would do neither, so that waits for the next attempt, which is seconds away at most.
 */
async function disconnected(client: Redis): Promise<void> {
  if (client.status === 'end') return;
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  if (client.status === 'reconnecting') {
    await new Promise<void>((resolve) => client.once('connecting', resolve));
  }
  client.disconnect();
  await ended;
}
