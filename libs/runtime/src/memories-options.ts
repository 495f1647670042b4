import { EMBEDDINGS, type Embeddings } from '@peregrine/ai';
import { type Embedder, type MemoriesModuleOptions } from '@peregrine/memories';
import { type Settings } from './settings.js';

/** The options of the workload, from the settings. Its embedder needs what `AiModule` exports. */
export function memoriesOptions({ memories, security, queue }: Settings): MemoriesModuleOptions {
  return {
    cursorSecret: security.cursorSecret,
    maxContentBytes: memories.maxContentBytes,
    maxBatch: memories.maxBatch,
    vectorIndex: memories.vectorIndex,
    embedDeadlineMs: memories.embedDeadlineMs,
    consolidation: { enabled: memories.consolidation },
    sweepIntervalMs: queue.sweepIntervalMs,
    embedder: { inject: [EMBEDDINGS], useFactory: embedderOf },
  };
}

/** The embeddings of the platform, of whichever model the settings name: paid once for a text of a workspace. */
function embedderOf(embeddings: Embeddings): Embedder {
  return {
    id: embeddings.model,
    dimensions: embeddings.dimensions,
    embed: async (inputs, { workspaceId, signal }) =>
      (await embeddings.embed({ tenant: workspaceId, inputs, ...(signal && { signal }) })).vectors,
  };
}
