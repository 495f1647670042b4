import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { withDeadline } from '../deadline.js';
import { TaskStore } from '../queue/task-store.js';
import { Repeater } from '../repeater.js';
import { type TaskQueueOptions } from '../task-queue.options.js';
import { TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { ThrottledLog } from '../throttled-log.js';
import { OutboxCarrier } from './outbox-carrier.js';
import { type OutboxBacklog } from './outbox-table.js';
import { TaskOutbox } from './task-outbox.js';
import { type TransactionSource } from './transaction-source.js';

const INTERVAL_MS = 1_000;
/** While another process relays; it may have looked just before the rows of this one were committed. */
const BUSY_DELAY_MS = 50;
const BUSY_TRIES = 20;
/** A measurement older than this says nothing any more. */
const MAX_AGE_MS = 60_000;

/** Looks at the outbox: in the process that has just written to it, and again and again in every one with a worker. */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log = new ThrottledLog(new Logger('TaskQueue'));
  readonly #repeater: Repeater;
  readonly #stopping = new AbortController();
  /** Keeps the relay out of whatever transaction the process that wakes it is in. */
  readonly #outside = AsyncLocalStorage.snapshot();
  #carrier: OutboxCarrier | undefined;
  #isInstalled = false;
  #isWanted = false;
  #draining: Promise<void> | undefined;
  #backlog: { readonly measured: OutboxBacklog; readonly at: number } | undefined;

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    private readonly store: TaskStore,
    private readonly outbox: TaskOutbox,
  ) {
    this.#repeater = new Repeater(
      INTERVAL_MS,
      () => this.#poll(),
      (error) => this.#log.warn('The outbox could not be looked up', error),
    );
  }

  /** Waits for the table, not for a database that is not there. */
  async onApplicationBootstrap(): Promise<void> {
    const source = this.options.transactions;
    if (!source || this.options.backend.type === 'inline') return;
    try {
      await withDeadline(this.#install(source), this.options.operationTimeoutMs);
    } catch (error) {
      this.#log.warn('The outbox could not be made ready; it is tried again', error);
    }
    this.#repeater.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    try {
      // A database that does not answer any more must not hold up the stop.
      await withDeadline(this.#settled(), this.options.operationTimeoutMs);
    } catch (error) {
      this.#log.warn('The relay of the outbox did not end in time', error);
    }
    await this.#carrier?.target.close();
  }

  /** Rows have been committed. Waits for nothing. */
  wake(): void {
    this.#isWanted = true;
    this.#draining ??= this.#outside(() => this.#drain()).finally(() => {
      this.#draining = undefined;
      // Woken after the last look and before this.
      if (this.#isWanted && !this.#stopping.signal.aborted) this.wake();
    });
  }

  /** Whether tasks take the way through the outbox, as far as is known. */
  get isRunning(): boolean {
    return this.outbox.mayHoldTasks;
  }

  /** Whether what this process has committed is on its way to the store. */
  get isRelaying(): boolean {
    return this.#draining !== undefined;
  }

  /** What was measured last, by a process with a worker. */
  get backlog(): OutboxBacklog | undefined {
    const isFresh = this.#backlog && performance.now() - this.#backlog.at < MAX_AGE_MS;
    return isFresh ? this.#backlog?.measured : undefined;
  }

  /** Tasks that this process has relayed. */
  get relayed(): number {
    return this.#carrier?.relayed ?? 0;
  }

  /** Makes sure of the table; then workers look at it again and again, and others only when they are woken. */
  async #poll(): Promise<void> {
    const source = this.options.transactions;
    if (!source) return;
    if (!this.#isInstalled) await this.#install(source);
    if (!this.options.worker || !(await this.#isUsed(source))) return void this.#repeater.stop();
    this.wake();
    await this.#draining;
    const measured = await source.run((client) => this.outbox.table.measure(client));
    this.#backlog = { measured, at: performance.now() };
  }

  async #settled(): Promise<void> {
    await this.#repeater.stop();
    await this.#draining;
  }

  async #install(source: TransactionSource): Promise<void> {
    await source.run(async (client) => {
      if (await this.outbox.isUsed(client)) await this.outbox.table.install(client);
    });
    this.#isInstalled = true;
  }

  #isUsed(source: TransactionSource): Promise<boolean> {
    return source.run((client) => this.outbox.isUsed(client));
  }

  async #drain(): Promise<void> {
    const source = this.options.transactions;
    const target = this.#carrier?.target ?? this.store.openRelay();
    if (!source || !target) {
      this.#isWanted = false;
      return;
    }
    this.#carrier ??= new OutboxCarrier(source, this.outbox.table, this.store, target, this.options.tasks);
    let busy = 0;
    try {
      while (this.#isWanted && !this.#stopping.signal.aborted) {
        this.#isWanted = false;
        const round = await this.#carrier.round();
        if (round === 'busy') {
          await sleep(BUSY_DELAY_MS, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
          this.#isWanted ||= ++busy < BUSY_TRIES;
        } else if (round === 'more') this.#isWanted = true;
      }
    } catch (error) {
      this.#log.warn('Tasks could not be relayed from the outbox; it is tried again', error);
    }
  }
}
