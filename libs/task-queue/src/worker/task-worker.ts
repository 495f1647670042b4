import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { type OpenWorker, type QueueBackend } from '../backend/queue-backend.js';
import { DeadlineError, withDeadline } from '../deadline.js';
import { taskName } from '../definition/task-id.js';
import { AttemptRunner } from '../execution/attempt-runner.js';
import { HandlerRegistry } from '../execution/handler-registry.js';
import { Slots } from '../execution/slots.js';
import { RateLimiter } from '../limits/rate-limiter.js';
import { TaskLimits } from '../limits/task-limits.js';
import { TaskDeadlines } from '../queue/task-deadlines.js';
import { TaskStore } from '../queue/task-store.js';
import { TaskStatistics } from '../statistics/task-statistics.js';
import { type TaskQueueOptions, type WorkerSettings } from '../task-queue.options.js';
import { QUEUE_BACKEND, TASK_QUEUE_OPTIONS } from '../task-queue.tokens.js';
import { ThrottledLog } from '../throttled-log.js';
import { TransactionalCompletion } from '../transactional/transactional-completion.js';
import { CancellationWatch } from './cancellation-watch.js';
import { ClaimAhead } from './claim-ahead.js';
import { DeadlineKeeper } from './deadline-keeper.js';
import { JobProcessor } from './job-processor.js';
import { JobReturns } from './job-returns.js';
import { RetentionTrimmer } from './retention-trimmer.js';

const REOPEN_DELAY_MS = 2_000;
/** What aborted tasks get to be given back to the store, and the connections to end. */
const RELEASE_TIMEOUT_MS = 3_000;

/**
 * Takes tasks from the queue once the application is up, and gives back what it cannot finish when it stops. A
 * process that is killed leaves its tasks locked; another worker takes them when the locks have run out.
 */
@Injectable()
export class TaskWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('TaskQueue');
  readonly #log = new ThrottledLog(this.#logger);
  readonly #stopping = new AbortController();
  readonly #cancellations: CancellationWatch;
  readonly #deadlines: TaskDeadlines;
  readonly #deadlineKeeper: DeadlineKeeper;
  #processor: JobProcessor | undefined;
  #open: OpenWorker | undefined;
  #opening: Promise<void> = Promise.resolve();
  #isHeld = false;

  constructor(
    @Inject(TASK_QUEUE_OPTIONS) private readonly options: TaskQueueOptions,
    @Inject(QUEUE_BACKEND) private readonly backend: QueueBackend | null,
    private readonly store: TaskStore,
    private readonly handlers: HandlerRegistry,
    private readonly statistics: TaskStatistics,
    private readonly trimmer: RetentionTrimmer,
    private readonly limiter: RateLimiter,
  ) {
    const running = () => this.#processor?.running ?? new Map<string, never>();
    this.#cancellations = new CancellationWatch(store, running, this.#log);
    this.#deadlines = new TaskDeadlines(options.priorities);
    this.#deadlineKeeper = new DeadlineKeeper(store, this.#deadlines, this.#log);
  }

  /** `none`: this process runs no tasks of the queue. `starting` until the store has been reached. */
  get state(): 'none' | 'starting' | 'open' | 'stopping' {
    if (!this.options.worker || !this.backend) return 'none';
    if (this.#stopping.signal.aborted) return 'stopping';
    return this.#open ? 'open' : 'starting';
  }

  /** True since {@link hold}, until {@link release}. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Begins nothing more, in this process only; what runs goes on, and a claim that was being made goes back. Idempotent.
   */
  async hold(): Promise<void> {
    this.#isHeld = true;
    if (this.#processor) this.#processor.isHeld = true;
    await this.#open?.worker.pause(true);
  }

  /** Claims again. Idempotent. */
  async release(): Promise<void> {
    this.#isHeld = false;
    if (this.#processor) this.#processor.isHeld = false;
    if (!this.#stopping.signal.aborted) await this.#open?.worker.resume();
  }

  /** Does not wait for a store that is not there; it is tried again until the process stops. */
  async onApplicationBootstrap(): Promise<void> {
    const settings = this.options.worker;
    if (!settings || !this.backend) return;
    const { backend } = this;
    if (!(await this.#tryStart(backend, settings))) this.#opening = this.#keepTrying(backend, settings);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await this.#opening;
    // At once, not after the keepers: their last steps may take as long as an operation, and nothing may begin then.
    const stopped = this.#open ? this.#stop(this.#open) : undefined;
    await Promise.all([stopped, this.trimmer.stop(), this.#deadlineKeeper.stop()]);
  }

  async #keepTrying(backend: QueueBackend, settings: WorkerSettings): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // Ends early when the process stops.
      await sleep(REOPEN_DELAY_MS, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted && (await this.#tryStart(backend, settings))) return;
    }
  }

  async #tryStart(backend: QueueBackend, settings: WorkerSettings): Promise<boolean> {
    const processor = this.#createProcessor(settings);
    const opening = backend.openWorker({
      processor: (job, token) => processor.process(job, token ?? ''),
      settings,
      claims: this.#claims(settings),
      retryDelayMs: (job) => processor.retryDelayMs(job),
      name: `${hostname()}:${process.pid}`,
      onStallFailures: (jobIds) => {
        for (const jobId of jobIds) this.statistics.of(taskName(jobId)).failed++;
      },
    });
    try {
      this.#open = await withDeadline(opening, this.options.operationTimeoutMs);
    } catch (error) {
      this.#log.warn('The worker could not start; it is tried again', error);
      opening.then(
        (late) => discard(late, this.#log),
        () => undefined,
      );
      return false;
    }
    this.#processor = processor;
    processor.observe(this.#open.worker);
    this.#claimAhead(this.#open, processor, settings);
    if (this.#isHeld) await this.hold();
    this.#run(this.#open);
    for (const keeper of [this.trimmer, this.#deadlineKeeper, this.#cancellations]) {
      keeper.start();
    }
    return true;
  }

  #run({ worker }: OpenWorker): void {
    worker.run().catch(async (error: unknown) => {
      if (this.#stopping.signal.aborted) return;
      this.#logger.error('The worker loop ended with an error; it is started again', error);
      await sleep(REOPEN_DELAY_MS, undefined, { ref: false });
      if (!this.#stopping.signal.aborted && this.#open) this.#run(this.#open);
    });
  }

  #createProcessor(settings: WorkerSettings): JobProcessor {
    const runner = new AttemptRunner(this.handlers, new Slots(settings.concurrency), this.statistics);
    return new JobProcessor({
      runner,
      handlers: this.handlers,
      statistics: this.statistics,
      returns: new JobReturns(this.#deadlines, this.#log),
      cancellations: this.#cancellations,
      completion: new TransactionalCompletion(this.options.transactions, this.store.joinable),
      limits: new TaskLimits(this.limiter, this.statistics, this.#log),
      lockDurationMs: settings.lockDurationMs,
      maxSuspects: Math.max(1, Math.floor(this.#claims(settings) / 2)),
      log: this.#log,
    });
  }

  /**
   * More than may run: the next batch fills while one runs. What is claimed but waits keeps its lock and goes by
   * priority.
   */
  #claims(settings: WorkerSettings): number {
    const batches = this.handlers.definitions().map((it) => it.batch?.size ?? 0);
    return settings.concurrency + 2 * batches.reduce((sum, size) => sum + size, 0);
  }

  /**
   * Not beside batches, which have claims ahead already, nor where what waits for its turn would hold tokens of a limit.
   * Several claims at once come back in any order, so not where one at a time is asked for, which is to keep the order.
   */
  #claimAhead({ worker }: OpenWorker, processor: JobProcessor, settings: WorkerSettings): void {
    if (settings.concurrency === 1) return;
    if (this.handlers.definitions().some((it) => it.batch ?? it.rateLimit)) return;
    const ahead = new ClaimAhead({
      claims: this.#claims(settings),
      concurrency: settings.concurrency,
      running: processor.running,
      onChange: (claims) => (worker.concurrency = claims),
    });
    processor.onRun = (tookMs) => ahead.ended(tookMs);
    worker.on('drained', () => ahead.stop());
  }

  /** Waits for what runs, then aborts it and gives it back. Every step is bounded, whatever the store does. */
  async #stop(open: OpenWorker): Promise<void> {
    this.#processor?.drain();
    const closing = open.worker.close();
    if (!(await endsWithin(closing, this.options.closeTimeoutMs))) {
      this.#logger.warn(`${this.#processor?.running.size ?? 0} tasks did not end in time and are given back`);
      this.#processor?.abort();
      if (!(await endsWithin(closing, RELEASE_TIMEOUT_MS))) {
        this.#logger.warn(
          'The store does not answer; its tasks are taken over when their locks have run out',
        );
      }
    }
    await this.#cancellations.stop();
    // What still waits for an answer fails now, which lets the worker close.
    const disconnected = await endsWithin(open.disconnect(), RELEASE_TIMEOUT_MS);
    if (!disconnected || !(await endsWithin(closing, RELEASE_TIMEOUT_MS))) {
      this.#logger.warn('The worker did not close its connections');
    }
  }
}

async function endsWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  try {
    await withDeadline(work, timeoutMs);
    return true;
  } catch (error) {
    if (error instanceof DeadlineError) return false;
    throw error;
  }
}

/** A worker that opened after its deadline. */
async function discard(open: OpenWorker, log: ThrottledLog): Promise<void> {
  try {
    await open.worker.close();
    await open.disconnect();
  } catch (error) {
    log.warn('A worker that opened too late did not close', error);
  }
}
