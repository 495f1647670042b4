import { type RetrievalModuleOptions } from '@peregrine/retrieval';
import { platformEmbedder } from './platform-embedder.js';
import { type Settings } from './settings.js';

/** The options of the workload, from the settings. */
export function retrievalOptions({ retrieval, queue }: Settings): RetrievalModuleOptions {
  return { ...retrieval, sweepIntervalMs: queue.sweepIntervalMs, embedder: platformEmbedder };
}
