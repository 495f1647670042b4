import { defineSettings, setting } from '../settings/define-settings.js';
import { optional, url } from '../settings/value-types.js';

/** Redis or Valkey. */
export const redisSettings = defineSettings('Redis', {
  url: setting('REDIS_URL', optional(url('redis', 'rediss')), {
    description: 'The Redis server. Unset: tasks run on PostgreSQL and the cache has no shared tier.',
    secret: true,
    example: 'redis://127.0.0.1:6379',
  }),
});
