import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import { withQueryPriority } from '@peregrine/query-optimizer';
import { memoriesTag } from '../memories.cache-tags.js';
import { MEMORIES_OPTIONS, type MemoriesOptions } from '../memories.options.js';
import { FeedbackBuffer, type PendingFeedback } from './feedback-buffer.js';
import { RECORD_ASSOCIATIONS, RECORD_USE } from './feedback-statements.js';

/** What an answer says about the memories in it. */
export interface Answer {
  readonly workspaceId: string;
  /** All that were shown, the most relevant first: before use and recency had their say. */
  readonly memoryIds: readonly string[];
}

/**
 * Learns from answers, after they were given: what was used, and what was used together. Two statements for all
 * answers of an interval, whatever their number and size. What is pending when the process dies is lost; a shutdown
 * writes it.
 */
@Injectable()
export class FeedbackService implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Name as a source of metrics. */
  readonly name = 'memories';
  readonly #log = new Logger(FeedbackService.name);
  readonly #buffer: FeedbackBuffer;
  readonly #counters = { answers: 0, flushes: 0, failures: 0 };
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(
    private readonly transactions: Transactions,
    private readonly cache: Cache,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {
    this.#buffer = new FeedbackBuffer(options.feedback.maxPending);
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.flush(), this.options.feedback.intervalMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** Notes an answer; costs the caller no statement. */
  record({ workspaceId, memoryIds }: Answer, now = new Date()): void {
    this.#counters.answers++;
    this.#buffer.add(workspaceId, memoryIds, this.options.reinforcedHits, now);
  }

  /** Writes what is pending; after those that are being written. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => withQueryPriority('low', () => this.#flushOnce()));
    return this.#flushing;
  }

  /** Figures in the shape of a metric source. */
  collect() {
    const counter = (name: string, help: string, value: number) => ({
      name,
      help,
      type: 'counter' as const,
      samples: [{ value }],
    });
    return [
      counter('memories_answers_total', 'Queries of memories that were answered', this.#counters.answers),
      counter('memories_feedback_flushes_total', 'Times that use was written', this.#counters.flushes),
      counter('memories_feedback_failures_total', 'Times that this failed', this.#counters.failures),
      counter(
        'memories_feedback_dropped_total',
        'Uses and pairs that found no room, or were lost with a failed write',
        this.#buffer.dropped,
      ),
    ];
  }

  /** A failed write is not tried again: after an unknown outcome it would count twice. */
  async #flushOnce(): Promise<void> {
    const pending = this.#buffer.take();
    if (!pending) return;
    try {
      this.#counters.flushes++;
      const moved = await this.#recordUse(pending);
      if (pending.pairs.length > 0) await this.#recordAssociations(pending);
      if (moved.length > 0) await this.cache.invalidateTags(moved.map(memoriesTag));
    } catch (error) {
      this.#counters.failures++;
      this.#buffer.lost(pending);
      this.#log.warn(`What ${pending.uses.length} memories were used for was not written: ${String(error)}`);
    }
  }

  /** @returns the workspaces in which a memory has changed its tier */
  async #recordUse({ uses, answers }: PendingFeedback): Promise<string[]> {
    const rows = await this.transactions.manager.query<{ workspaceId: string }[]>(RECORD_USE, [
      uses.map((it) => it.memoryId),
      uses.map((it) => it.accesses),
      uses.map((it) => it.isUse),
      uses.map((it) => it.at),
      answers.map((it) => it.workspaceId),
      answers.map((it) => it.answers),
    ]);
    return rows.map((it) => it.workspaceId);
  }

  async #recordAssociations({ pairs }: PendingFeedback): Promise<void> {
    await this.transactions.manager.query(RECORD_ASSOCIATIONS, [
      pairs.map((it) => it.firstId),
      pairs.map((it) => it.secondId),
      pairs.map((it) => it.workspaceId),
      pairs.map((it) => it.times),
      pairs.map((it) => it.at),
    ]);
  }
}
