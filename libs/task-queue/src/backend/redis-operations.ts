import { type Redis } from 'ioredis';
import { cancelledResult } from '../queue/cancelled-result.js';
import { type Rebase } from '../queue/task-deadlines.js';
import { CANCEL, PLACEMENT, REBASE, SWAP_SCHEDULE } from './redis-scripts.js';
import {
  type CancelOutcome,
  type NextTasks,
  type Placement,
  type QueueTotalCounts,
  type StoreCounts,
  type TaskOperations,
  TOTALS,
} from './task-operations.js';

/** Short enough that no other command waits long for the script. */
const TASKS_PER_SCRIPT = 500;
const REBASED_AT_ONCE = 1_000;
/** BullMQ's scores: a priority, or a due time, times this, plus a counter. */
const PRIORITY_STEP = 2 ** 32;
const DELAY_STEP = 4_096;

/** On the keys of BullMQ's queue. */
export class RedisOperations implements TaskOperations {
  /**
   * @param client connected; fails instead of waiting when Redis is gone
   * @param keyPrefix what every key of the queue begins with
   */
  constructor(
    private readonly client: () => Promise<Redis>,
    private readonly keyPrefix: string,
  ) {}

  async cancel(jobIds: readonly string[], reason: string): Promise<CancelOutcome[]> {
    const client = await this.client();
    const keys = ['prioritized', 'delayed', 'wait', 'completed', 'failed'].map((it) => this.#key(it));
    const result = JSON.stringify(cancelledResult(reason));
    const outcomes: CancelOutcome[] = [];
    for (let start = 0; start < jobIds.length; start += TASKS_PER_SCRIPT) {
      const ids = jobIds.slice(start, start + TASKS_PER_SCRIPT);
      const answer = await client.eval(
        CANCEL,
        keys.length,
        ...keys,
        this.keyPrefix,
        Date.now(),
        result,
        reason,
        ...ids,
      );
      outcomes.push(...(answer as CancelOutcome[]));
    }
    return outcomes;
  }

  async cancellations(jobIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const client = await this.client();
    const pipeline = client.pipeline();
    for (const id of jobIds) pipeline.hget(this.#key(id), 'cancel');
    const answers = (await pipeline.exec()) ?? [];
    const reasons = new Map<string, string>();
    answers.forEach(([error, reason], index) => {
      if (error) throw error;
      if (typeof reason === 'string') reasons.set(jobIds[index] as string, reason);
    });
    return reasons;
  }

  async placement(jobId: string): Promise<Placement | null> {
    const client = await this.client();
    const keys = [
      this.#key('prioritized'),
      this.#key(jobId),
      `${this.#key(jobId)}:lock`,
      this.#key('delayed'),
    ];
    const answer = (await client.eval(PLACEMENT, keys.length, ...keys, jobId)) as number[] | null;
    if (!answer) return null;
    const [ahead = 0, locked, cancelling, dueAtMs = 0] = answer;
    return { ahead, isLocked: locked === 1, isCancelling: cancelling === 1, dueAtMs };
  }

  async rebase({ highest, shift }: Rebase): Promise<number> {
    const client = await this.client();
    let total = 0;
    for (;;) {
      const moved = Number(
        await client.eval(
          REBASE,
          1,
          this.#key('prioritized'),
          this.keyPrefix,
          highest,
          shift,
          REBASED_AT_ONCE,
        ),
      );
      total += moved;
      if (moved < REBASED_AT_ONCE) return total;
    }
  }

  async counts(): Promise<StoreCounts> {
    const client = await this.client();
    const answers = await client
      .multi()
      .llen(this.#key('wait'))
      .zcard(this.#key('prioritized'))
      .zcard(this.#key('delayed'))
      .llen(this.#key('active'))
      .zcard(this.#key('completed'))
      .zcard(this.#key('failed'))
      .exec();
    const of = (index: number) => Number(answers?.[index]?.[1] ?? 0);
    return { waiting: of(0) + of(1), delayed: of(2), running: of(3), completed: of(4), failed: of(5) };
  }

  async next(): Promise<NextTasks> {
    const client = await this.client();
    const answers = await client
      .multi()
      .zrange(this.#key('prioritized'), 0, 0, 'WITHSCORES')
      .zrange(this.#key('delayed'), 0, 0, 'WITHSCORES')
      .exec();
    const first = (index: number, unit: number) => {
      const score = (answers?.[index]?.[1] as string[] | undefined)?.[1];
      return score === undefined ? null : Math.floor(Number(score) / unit);
    };
    return { number: first(0, PRIORITY_STEP), dueAtMs: first(1, DELAY_STEP) };
  }

  async addTotals(added: QueueTotalCounts): Promise<QueueTotalCounts> {
    const client = await this.client();
    const transaction = client.multi();
    for (const name of TOTALS) transaction.hincrby(this.#key('totals'), name, added[name]);
    const answers = (await transaction.exec()) ?? [];
    const sums = TOTALS.map((name, index) => [name, Number(answers[index]?.[1] ?? 0)]);
    return Object.fromEntries(sums) as QueueTotalCounts;
  }

  tidy(): Promise<void> {
    return Promise.resolve();
  }

  async schedules(): Promise<ReadonlyMap<string, string>> {
    const client = await this.client();
    return new Map(Object.entries(await client.hgetall(this.#key('schedules'))));
  }

  async swapSchedule(name: string, expected: string | null, next: string | null): Promise<boolean> {
    const client = await this.client();
    const swapped = await client.eval(
      SWAP_SCHEDULE,
      1,
      this.#key('schedules'),
      name,
      expected ?? '',
      next ?? '',
    );
    return swapped === 1;
  }

  #key(type: string): string {
    return this.keyPrefix + type;
  }
}
