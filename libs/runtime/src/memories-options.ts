import { HashingModel } from '@peregrine/ai';
import { type Embedder, type MemoriesModuleOptions } from '@peregrine/memories';
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
    embedder: { useFactory: localEmbedder },
  };
}

/** Without a model and without a cache: to compute is cheaper than to look. */
function localEmbedder(): Embedder {
  const model = new HashingModel();
  return {
    id: model.id,
    dimensions: model.dimensions,
    embed: async (texts, { signal }) => (await model.embed(texts, signal ? { signal } : {})).vectors,
  };
}
