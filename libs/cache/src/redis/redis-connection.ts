import { setTimeout as delay } from 'node:timers/promises';
import { CircuitState, SamplingBreaker } from 'cockatiel';
import type { CacheRedisError } from '../cache.errors.js';
import { Deadlines } from './deadlines.js';
import { ManagedClient, serverName, type ClientTarget } from './redis-client.js';
import type { RedisCounters } from '../statistics/counters.js';
import { describeFault, faultOf, RedisDeadlineError } from './redis-faults.js';
import { SCRIPTS, type RedisScript } from './redis-scripts.js';
import { ServerClock } from './server-clock.js';
import { identify, type ServerKind } from './server-facts.js';

/** Opens when more than half of the operations of the last seconds failed, given at least one a second. */
const BREAKER = { threshold: 0.5, duration: 5_000, minimumRps: 1 };
const RETRY_MS = 250;
/** After so many failed recoveries the connection is taken for dead, although TCP does not say so. */
const REOPEN_AFTER = 20;
/** Commands that may wait on the wire; beyond it Redis counts as not answering. */
const MAX_QUEUE = 20_000;
/** Nobody waits for the write behind a load, so a large value may take its time. */
const SLOW_FACTOR = 10;

const AS_BUFFERS = { returnBuffers: true } as const;

export type RedisArgument = string | Buffer;

/** What the owner does and wants to know. */
export interface ConnectionHooks {
  /** Runs on every new or resumed session, before commands are let through; may be repeated. */
  recover(connection: RedisConnection): Promise<void>;
  /** Whether nothing is left to recover. Asked in the same tick in which commands are let through. */
  isRecovered(connection: RedisConnection): boolean;
  /** What was recovered holds no more; told every time, also while it is not available. */
  onSuspended(connection: RedisConnection): void;
  onAvailable(connection: RedisConnection): void;
  /** Told once for each kind of error until it is available again. */
  onUnavailable(connection: RedisConnection, error: CacheRedisError): void;
}

/**
 * One connection to one server, with deadlines, a circuit breaker, and recovery. Callers look at {@link ready} first: when
 * it is false they go without this server at no cost. The trial of the half-open breaker is the recovery in the
 * background, so no request ever waits for one.
 */
export class RedisConnection {
  readonly name: string;
  readonly clock = new ServerClock();
  readonly #link: ManagedClient;
  readonly #breaker = new SamplingBreaker(BREAKER);
  readonly #deadlines: Deadlines;
  readonly #slowDeadlines: Deadlines;
  #breakerOpen = false;
  #ready = false;
  #started = false;
  #closed = false;
  /** Counts connections: what was learned on one does not hold on the next. */
  #epoch = 0;
  #serverId = '';
  #clientId = '';
  #recovering = false;
  #failedRecoveries = 0;
  #retry: NodeJS.Timeout | undefined;
  #inFlight = 0;
  #lastError: CacheRedisError | undefined;
  readonly #firstReady: Promise<void>;
  #resolveFirstReady: () => void = () => undefined;

  constructor(
    target: ClientTarget,
    private readonly kind: ServerKind,
    readonly timeoutMs: number,
    private readonly counters: RedisCounters,
    private readonly hooks: ConnectionHooks,
  ) {
    this.name = serverName(target);
    this.#deadlines = new Deadlines(timeoutMs);
    this.#slowDeadlines = new Deadlines(timeoutMs * SLOW_FACTOR);
    this.#firstReady = new Promise((resolve) => (this.#resolveFirstReady = resolve));
    const onLost = (error: Error) => {
      this.#epoch++;
      this.#lose(error);
    };
    this.#link = new ManagedClient(target, onLost);
    this.#link.client.on('ready', () => void this.#recover());
    this.#link.client.on('end', () => onLost(new Error('the connection was closed')));
  }

  /** Connected, recovered, and the breaker closed. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Connected to a server that is known: the recovery, and what is ordered behind it, may send. */
  get started(): boolean {
    return this.#started;
  }

  get breakerOpen(): boolean {
    return this.#breakerOpen;
  }

  /** Why it can not be used, or could not when last tried. */
  get lastError(): CacheRedisError | undefined {
    return this.#lastError;
  }

  /** Changes when the server restarts or becomes a master again. */
  get serverId(): string {
    return this.#serverId;
  }

  /** Connects in the background; resolves when ready, or after the deadline of one operation. */
  async open(): Promise<void> {
    this.#link.open();
    const timer = new AbortController();
    const waited = delay(this.timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined);
    await Promise.race([this.#firstReady, waited]);
    timer.abort();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#ready = false;
    this.#started = false;
    clearTimeout(this.#retry);
    this.hooks.onSuspended(this);
    await this.#link.close();
  }

  /** Runs a command behind deadline and breaker. Commands leave in the order of the calls. Rejects with whatever went wrong. */
  run(args: RedisArgument[], slow = false): Promise<unknown> {
    // Its answer is there before that of the command.
    if (this.clock.isDue) this.#compareClocks().catch(() => undefined);
    return this.#send(args, slow ? this.#slowDeadlines : this.#deadlines, true);
  }

  /** As {@link run}, for the recovery itself: while the breaker is on trial. */
  runInRecovery(args: RedisArgument[]): Promise<unknown> {
    return this.#send(args, this.#deadlines, false);
  }

  /** Stops using this server until a recovery has succeeded. */
  suspend(cause: unknown): void {
    this.#lose(cause);
    void this.#recover();
  }

  #send(args: RedisArgument[], deadlines: Deadlines, counted: boolean): Promise<unknown> {
    if (this.#inFlight >= MAX_QUEUE) return Promise.reject(new Error(`${MAX_QUEUE} commands wait for Redis`));
    this.#inFlight++;
    return new Promise((resolve, reject) => {
      const deadline = deadlines.start(() => {
        const error = new RedisDeadlineError(deadlines.ms);
        if (counted) this.#count(error);
        reject(error);
      });
      this.#link.client.sendCommand(args, AS_BUFFERS).then(
        (reply) => {
          this.#inFlight--;
          if (!deadlines.stop(deadline)) return;
          if (counted) this.#breaker.success(CircuitState.Closed);
          resolve(reply);
        },
        (error: Error) => {
          this.#inFlight--;
          if (!deadlines.stop(deadline)) return;
          if (counted) this.#count(error);
          reject(error);
        },
      );
    });
  }

  #count(error: unknown): void {
    const fault = faultOf(error);
    if (fault === 'state') return this.suspend(error);
    if (fault !== 'silent' && fault !== 'refused') return this.#breaker.success(CircuitState.Closed);
    if (!this.#breaker.failure(CircuitState.Closed) || this.#breakerOpen) return;
    this.#breakerOpen = true;
    this.suspend(error);
  }

  #lose(cause: unknown): void {
    this.#ready = false;
    this.#started = false;
    if (this.#closed) return;
    this.hooks.onSuspended(this);
    const error = describeFault(this.name, cause);
    const told = this.#lastError?.code === error.code;
    this.#lastError = error;
    if (!told) this.hooks.onUnavailable(this, error);
  }

  async #recover(): Promise<void> {
    if (this.#recovering || this.#closed || !this.#link.client.isReady) return;
    clearTimeout(this.#retry);
    this.#recovering = true;
    const epoch = this.#epoch;
    try {
      await this.#startSession();
      if (epoch !== this.#epoch) throw new Error('the connection changed during recovery');
      this.#started = true;
      do await this.hooks.recover(this);
      while (!this.hooks.isRecovered(this));
      if (epoch !== this.#epoch || !this.#isStarted())
        throw new Error('the connection changed during recovery');
      this.#becomeReady();
    } catch (error) {
      this.#lose(error);
      this.#retryLater();
    } finally {
      this.#recovering = false;
    }
  }

  /** A call, since it may become false while the recovery waits. */
  #isStarted(): boolean {
    return this.#started;
  }

  #becomeReady(): void {
    if (this.#closed) return;
    this.#failedRecoveries = 0;
    this.#breaker.success(CircuitState.HalfOpen);
    this.#breakerOpen = false;
    this.#lastError = undefined;
    this.#ready = true;
    this.#resolveFirstReady();
    this.hooks.onAvailable(this);
  }

  #retryLater(): void {
    this.counters.errors++;
    if (this.#closed) return;
    if (++this.#failedRecoveries % REOPEN_AFTER === 0) void this.#link.reopen();
    this.#retry = setTimeout(() => void this.#recover(), RETRY_MS).unref();
  }

  /**
   * Learns which server this is, and makes sure that the connection before this one is dead on the server too:
   * a command that still sat in its buffer (the server was stopped, the network slow) must not be executed after
   * the invalidations that are about to be replayed.
   */
  async #startSession(): Promise<void> {
    const ask = async (...args: string[]) => String(await this.runInRecovery(args));
    const info = [await ask('INFO', 'server'), await ask('INFO', 'replication')].join('\n');
    const serverId = identify(this.name, this.kind, info);
    const clientId = await ask('CLIENT', 'ID');
    if (serverId === this.#serverId && clientId !== this.#clientId)
      await ask('CLIENT', 'KILL', 'ID', this.#clientId);
    await Promise.all(Object.values(SCRIPTS).map((it) => ask('SCRIPT', 'LOAD', it.source)));
    await this.#compareClocks();
    this.#serverId = serverId;
    this.#clientId = clientId;
  }

  async #compareClocks(): Promise<void> {
    this.clock.postpone();
    const sentAt = performance.now();
    const [seconds, micros] = (await this.runInRecovery(['TIME'])) as [Buffer, Buffer];
    this.clock.compare(sentAt, Number(seconds) * 1_000 + Number(micros) / 1_000);
  }
}

/** The command that runs a script. There is no fallback to EVAL: sent again later, a command would overtake others. */
export const evaluate = (
  script: RedisScript,
  key: string,
  args: readonly RedisArgument[],
): RedisArgument[] => ['EVALSHA', script.sha, '1', key, ...args];
