import { type RetrievalModuleOptions } from '@peregrine/retrieval';
import { platformEmbedder } from './platform-embedder.js';
import { type Settings } from './settings.js';

/** The options of the workload, from the settings. */
export function retrievalOptions({ retrieval, queue }: Settings): RetrievalModuleOptions {
  const { chooserEnabled, calibrationShare, ...limits } = retrieval;
  return {
    ...limits,
    chooser: { enabled: chooserEnabled },
    calibration: { share: calibrationShare },
    sweepIntervalMs: queue.sweepIntervalMs,
    embedder: platformEmbedder,
  };
}
