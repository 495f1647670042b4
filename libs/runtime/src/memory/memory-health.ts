import { type HealthCheck } from '@peregrine/health';
import { type MemoryManager } from '@peregrine/metrics';

/**
 * Down while memory runs short. The process helps itself and stays where it is: it is `degraded`, and liveness has its own
 * look at the heap.
 */
export function memoryHealth(manager: Pick<MemoryManager, 'state'>): HealthCheck {
  return {
    name: 'memory',
    criticality: 'degraded',
    intervalMs: 1_000,
    check: () => {
      const { level, rssRatio, heapRatio } = manager.state;
      if (level === 'normal') return Promise.resolve();
      const figures = `RSS ${percent(rssRatio)} of its limit, heap ${percent(heapRatio)}`;
      return Promise.reject(new Error(`memory runs short (${level}): ${figures}`));
    },
  };
}

const percent = (ratio: number) => `${(ratio * 100).toFixed(0)} %`;
