import { type RetrievalModuleOptions } from '@peregrine/retrieval';
import { platformEmbedder } from './platform-embedder.js';
import { type Settings } from './settings.js';

/** The options of the workload, from the settings. */
export function retrievalOptions({ retrieval }: Settings): RetrievalModuleOptions {
  return { ...retrieval, embedder: platformEmbedder };
}
