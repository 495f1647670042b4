import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Cache } from '@peregrine/cache';
import { Transactions } from '@peregrine/database';
import { repeatAtLowPriority, type RepeatedWork } from '@peregrine/query-optimizer';
import { TaskQueue } from '@peregrine/task-queue';
import { DEMOTION_RULES } from './feedback/tier-rules.js';
import { memoriesTag } from './memories.cache-tags.js';
import { MEMORIES_OPTIONS, type MemoriesOptions } from './memories.options.js';
import { embedMemories } from './memories.tasks.js';
import { TermTotals } from './statistics/term-totals.service.js';

const ITEMS_PER_SWEEP = 1_000;
/** Pairs that met once, and never again in so many days, were chance. */
const FORGOTTEN_PAIR_DAYS = 30;

/** Finds what was left undone: embeddings that no task makes, words that nobody counted, memories that nobody uses. */
@Injectable()
export class MemoriesSweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger(MemoriesSweeper.name);
  #sweeps: RepeatedWork | undefined;

  constructor(
    private readonly transactions: Transactions,
    private readonly tasks: TaskQueue,
    private readonly termTotals: TermTotals,
    private readonly cache: Cache,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {}

  onApplicationBootstrap(): void {
    this.#sweeps = repeatAtLowPriority(
      this.options.sweepIntervalMs,
      () => this.sweep(),
      (error) => this.#log.warn(`A sweep failed and will be tried again: ${String(error)}`),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#sweeps?.stop();
  }

  /** One round. Several processes may run it at once: every step can be done twice. */
  async sweep(): Promise<void> {
    await this.resubmitEmbeddings();
    for (const it of await this.termTotals.uncounted(ITEMS_PER_SWEEP)) await this.termTotals.count(it);
    await this.demote(new Date());
    await this.forgetPairs(new Date());
  }

  /** Submits anew what has waited for two sweeps. @returns how many memories */
  async resubmitEmbeddings(): Promise<number> {
    const rows = await this.transactions.manager.query<{ memoryId: string; workspaceId: string }[]>(
      `SELECT memory_id AS "memoryId", workspace_id AS "workspaceId" FROM memory_pending_embeddings
        WHERE since < now() - make_interval(secs => $1) ORDER BY since LIMIT $2`,
      [(2 * this.options.sweepIntervalMs) / 1_000, ITEMS_PER_SWEEP],
    );
    for (const [workspaceId, its] of Map.groupBy(rows, (it) => it.workspaceId)) {
      await this.tasks.submit(embedMemories, { workspaceId, memoryIds: its.map((it) => it.memoryId) });
    }
    return rows.length;
  }

  /** Moves down what was not used for long, some at a time. @returns how many */
  async demote(now: Date): Promise<number> {
    const [rows, moved] = await this.transactions.manager.query<[{ workspaceId: string }[], number]>(
      `WITH due AS (
         SELECT s.memory_id, r.falls_to FROM memory_states s
           JOIN unnest($1::text[], $2::text[], $3::int[]) AS r (tier, falls_to, hours)
             ON r.tier = s.tier AND s.last_used_at < $4::timestamptz - make_interval(hours => r.hours)
          WHERE s.tier <> 'active'
          ORDER BY s.memory_id LIMIT $5 FOR UPDATE OF s SKIP LOCKED
       )
       UPDATE memory_states s SET tier = due.falls_to FROM due WHERE s.memory_id = due.memory_id
       RETURNING s.workspace_id AS "workspaceId"`,
      [
        DEMOTION_RULES.map((it) => it.from),
        DEMOTION_RULES.map((it) => it.to),
        DEMOTION_RULES.map((it) => it.unusedHours),
        now,
        ITEMS_PER_SWEEP,
      ],
    );
    if (moved > 0) {
      await this.cache.invalidateTags([...new Set(rows.map((it) => memoriesTag(it.workspaceId)))]);
    }
    return moved;
  }

  /** Removes pairs that were chance, some at a time. @returns how many */
  async forgetPairs(now: Date): Promise<number> {
    const [, forgotten] = await this.transactions.manager.query<[unknown[], number]>(
      `DELETE FROM memory_associations WHERE (first_id, second_id) IN (
         SELECT first_id, second_id FROM memory_associations
          WHERE times = 1 AND last_at < $1::timestamptz - make_interval(days => $2)
          ORDER BY last_at LIMIT $3
       )`,
      [now, FORGOTTEN_PAIR_DAYS, ITEMS_PER_SWEEP],
    );
    return forgotten;
  }
}
