import { defineSettings, setting, type SettingValues } from '../settings/define-settings.js';
import { rollout, scopedRollout } from '../settings/value-types.js';

/** Feature flags. Each value is the share of keys for which the feature is on, percent from 0 to 100. */
export const featureSettings = defineSettings('Features (true, false, or the share of keys that get it)', {
  cacheEnabled: setting('CACHE_ENABLED', scopedRollout(), {
    description:
      'Read through the cache; parts are its namespaces (50%,content=true,search=10%). Live: PUT /api/v1/meta/cache/rollout.',
    default: 'true',
  }),
  queryCacheEnabled: setting('QUERY_CACHE_ENABLED', rollout(), {
    description:
      'Answer repeated queries from the cache; the share is of kinds of queries. Live: PUT /api/v1/optimizer/rollout.',
    default: 'true',
  }),
  asyncProcessingEnabled: setting('ASYNC_PROCESSING_ENABLED', rollout(), {
    description: 'Run tasks in the background; off, they run in the caller.',
    default: 'true',
  }),
  cdnCompressionEnabled: setting('CDN_COMPRESSION_ENABLED', rollout(), {
    description: 'Compress assets for clients that accept it; the keys are their paths.',
    default: 'true',
  }),
});

/** Name of a feature flag: a property of `featureSettings`. */
export type FeatureFlagName = keyof (typeof featureSettings)['shape'];

/** Every flag with its rollout. */
export type FeatureRollouts = SettingValues<(typeof featureSettings)['shape']>;
