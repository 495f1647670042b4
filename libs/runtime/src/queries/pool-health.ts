import { type HealthCheck } from '@peregrine/health';
import { type PriorityPool } from '@peregrine/query-optimizer';

/**
 * Whether callers get connections: down when since the last look some were refused or waited in vain. The process is still
 * of use then, so it stays where it is.
 */
export function poolHealth(pool: Pick<PriorityPool, 'statistics'>): HealthCheck {
  let before = 0;
  return {
    name: 'database-pool',
    criticality: 'degraded',
    check: () => {
      const { refused, timeouts, size, capacity } = pool.statistics();
      const failed = refused + timeouts - before;
      before += failed;
      return failed === 0
        ? Promise.resolve()
        : Promise.reject(
            new Error(`${failed} callers got no connection; the pool has ${size} of ${capacity}`),
          );
    },
  };
}
