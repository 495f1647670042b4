import { Inject, Injectable } from '@nestjs/common';
import {
  type BatchItem,
  type BatchItemResult,
  type BatchTaskExecutor,
  TaskHandler,
  TaskQueue,
} from '@peregrine/task-queue';
import { MEMORIES_OPTIONS, type MemoriesOptions } from '../memories.options.js';
import { consolidateMemories, embedMemories } from '../memories.tasks.js';
import { TermTotals } from '../statistics/term-totals.service.js';
import { MemoryVectors, type PendingMemory } from './memory-vectors.js';

/** Memories of one consolidation task. */
const COMPARED_AT_ONCE = 500;

type Item = BatchItem<typeof embedMemories>;

/** Embeds new memories, those of many adds in one call, and has them compared with the others. */
@TaskHandler(embedMemories)
@Injectable()
export class EmbedMemoriesHandler implements BatchTaskExecutor<typeof embedMemories> {
  constructor(
    private readonly vectors: MemoryVectors,
    private readonly termTotals: TermTotals,
    private readonly tasks: TaskQueue,
    @Inject(MEMORIES_OPTIONS) private readonly options: MemoriesOptions,
  ) {}

  async executeBatch(items: readonly Item[]): Promise<BatchItemResult[]> {
    const pending = await this.vectors.pending(items.flatMap((it) => it.payload.memoryIds));
    const results = await this.#embed(items, pending);
    for (const workspaceId of new Set(items.map((it) => it.payload.workspaceId))) {
      await this.termTotals.count(workspaceId);
    }
    for (const [workspaceId, its] of Map.groupBy(pending, (it) => it.workspaceId)) {
      await this.#consolidate(workspaceId, its);
    }
    return results;
  }

  async #consolidate(workspaceId: string, memories: readonly PendingMemory[]): Promise<void> {
    if (!this.options.consolidation.enabled) return;
    const memoryIds = memories.map((it) => it.memoryId);
    const payloads = [];
    for (let at = 0; at < memoryIds.length; at += COMPARED_AT_ONCE) {
      payloads.push({ workspaceId, memoryIds: memoryIds.slice(at, at + COMPARED_AT_ONCE) });
    }
    await this.tasks.submitBatch(consolidateMemories, payloads);
  }

  /** Together; where that fails each task by itself, so that one bad text does not hold up the others. */
  async #embed(items: readonly Item[], pending: readonly PendingMemory[]): Promise<BatchItemResult[]> {
    const [first] = items;
    if (!first) return [];
    try {
      await this.vectors.embed(pending, first.ctx.signal);
      return items.map(() => ({ ok: true, value: null }));
    } catch (cause) {
      if (items.length === 1) return [{ ok: false, error: asError(cause) }];
    }
    const results: BatchItemResult[] = [];
    for (const { payload, ctx } of items) {
      const own = pending.filter((it) => payload.memoryIds.includes(it.memoryId));
      results.push(await this.#embedAlone(own, ctx.signal));
    }
    return results;
  }

  async #embedAlone(memories: readonly PendingMemory[], signal: AbortSignal): Promise<BatchItemResult> {
    try {
      await this.vectors.embed(memories, signal);
      return { ok: true, value: null };
    } catch (cause) {
      return { ok: false, error: asError(cause) };
    }
  }
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
