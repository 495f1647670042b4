import { heapLimitBytes, type MemoryManagerOptionsInput } from '@peregrine/metrics';
import { type Settings } from '../settings.js';

/** A level ends that many percent points below where it begins. */
const RECOVER_POINTS = 10;

/** The options of the memory manager, from the settings. */
export function memoryManagerOptions({ memory }: Settings): MemoryManagerOptionsInput {
  return {
    trimRatio: memory.trimPercent / 100,
    shedRatio: memory.shedPercent / 100,
    recoverGap: RECOVER_POINTS / 100,
    heapLimitBytes: heapLimitBytes(memory.nodeOptions),
    ...(memory.limitBytes === undefined ? {} : { limitBytes: memory.limitBytes }),
  };
}
