import { Injectable } from '@nestjs/common';
import { type TaskContext, type TaskExecutor, TaskHandler, type TaskPayload } from '@peregrine/task-queue';
import { consolidateMemories } from '../memories.tasks.js';
import { ConsolidationService } from './consolidation.service.js';

/** Compares new memories with the others, one after the other. */
@TaskHandler(consolidateMemories)
@Injectable()
export class ConsolidateMemoriesHandler implements TaskExecutor<typeof consolidateMemories> {
  constructor(private readonly consolidation: ConsolidationService) {}

  async execute(
    { workspaceId, memoryIds }: TaskPayload<typeof consolidateMemories>,
    ctx: TaskContext,
  ): Promise<{ summaries: number }> {
    const summaries = new Set<string>();
    for (const [done, memoryId] of memoryIds.entries()) {
      ctx.signal.throwIfAborted();
      const summaryId = await this.consolidation.consolidate(workspaceId, memoryId);
      if (summaryId !== null) summaries.add(summaryId);
      if (done % 100 === 99) await ctx.progress({ compared: done + 1, of: memoryIds.length });
    }
    return { summaries: summaries.size };
  }
}
