import { type MemoriesModuleOptions } from '@peregrine/memories';
import { platformEmbedder } from './platform-embedder.js';
import { type Settings } from './settings.js';

/** The options of the workload, from the settings. */
export function memoriesOptions({ memories, security, queue }: Settings): MemoriesModuleOptions {
  return {
    cursorSecret: security.cursorSecret,
    maxContentBytes: memories.maxContentBytes,
    maxBatch: memories.maxBatch,
    vectorIndex: memories.vectorIndex,
    embedDeadlineMs: memories.embedDeadlineMs,
    consolidation: { enabled: memories.consolidation },
    sweepIntervalMs: queue.sweepIntervalMs,
    embedder: platformEmbedder,
  };
}
