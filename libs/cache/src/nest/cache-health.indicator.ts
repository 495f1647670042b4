import { Inject, Injectable } from '@nestjs/common';
import { Cache } from '../cache.service.js';

/** How the state of the cache counts for the health of the application. */
export interface CacheHealthOptions {
  /**
   * Whether the application is down without Redis. Seldom right: the cache works without it, and all replicas would leave
   * at once. @default false
   */
  readonly required?: boolean;
}

/** A check as `HealthModule` of `@peregrine/health` takes it. */
export interface CacheHealthCheck {
  readonly name: string;
  readonly criticality: 'critical' | 'degraded';
  /** Rejects while Redis is configured and away, or its messages are not received. */
  check(): Promise<void>;
}

/** What an indicator of `@nestjs/terminus` answers for the cache. */
export interface CacheHealth {
  readonly status: 'up' | 'down';
  readonly redis: 'not configured' | 'available' | 'unavailable';
  /** Whether invalidations of other processes are being received; true without Redis. */
  readonly coherent: boolean;
  /** Invalidations that wait for Redis to come back. */
  readonly pendingInvalidations: number;
}

/** The health of the cache. It looks at what the cache knows anyway and sends nothing to Redis. */
@Injectable()
export class CacheHealthIndicator {
  constructor(@Inject(Cache) private readonly cache: Pick<Cache, 'stats'>) {}

  /** For `HealthModule.forRoot({ checks: [indicator.check()] })`: readiness says `degraded` while Redis is away. */
  check({ required = false }: CacheHealthOptions = {}): CacheHealthCheck {
    return {
      name: 'cache',
      criticality: required ? 'critical' : 'degraded',
      check: async () => {
        const { redis, coherent } = this.#health(false);
        if (redis === 'unavailable') throw new Error('the cache works without Redis: it is unavailable');
        if (!coherent) throw new Error('the cache does not receive the invalidations of other processes');
        return Promise.resolve();
      },
    };
  }

  /** For terminus: `health.check([() => indicator.isHealthy('cache')])`. Up with its details while Redis is away. */
  isHealthy<const Key extends string = 'cache'>(
    key: Key = 'cache' as Key,
    { required = false }: CacheHealthOptions = {},
  ): Record<Key, CacheHealth> {
    return { [key]: this.#health(required) } as Record<Key, CacheHealth>;
  }

  #health(required: boolean): CacheHealth {
    const { configured, available, subscribed, pendingInvalidations } = this.cache.stats().redis;
    const whole = !configured || (available && subscribed);
    return {
      status: required && !whole ? 'down' : 'up',
      redis: !configured ? 'not configured' : available ? 'available' : 'unavailable',
      coherent: !configured || subscribed,
      pendingInvalidations,
    };
  }
}
