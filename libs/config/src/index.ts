export { aiSettings } from './concerns/ai.settings.js';
export { allSettings } from './concerns/all-settings.js';
export { cacheRedisOf, type CacheRedis } from './concerns/cache-redis.js';
export { cacheSettings } from './concerns/cache.settings.js';
export { cdnSettings } from './concerns/cdn.settings.js';
export { consoleSettings } from './concerns/console.settings.js';
export { contentSettings } from './concerns/content.settings.js';
export { databaseSettings } from './concerns/database.settings.js';
export { type FeatureFlagName, type FeatureRollouts, featureSettings } from './concerns/feature.settings.js';
export { httpSettings } from './concerns/http.settings.js';
export { indexAdvisorSettings } from './concerns/index-advisor.settings.js';
export { logSettings } from './concerns/log.settings.js';
export { memoriesSettings } from './concerns/memories.settings.js';
export { metricsSettings } from './concerns/metrics.settings.js';
export { protectionSettings } from './concerns/protection.settings.js';
export { purgeSettings } from './concerns/purge.settings.js';
export { queueSettings } from './concerns/queue.settings.js';
export { redisSettings } from './concerns/redis.settings.js';
export { retrievalSettings } from './concerns/retrieval.settings.js';
export { securitySettings } from './concerns/security.settings.js';
export { storageSettings } from './concerns/storage.settings.js';
export {
  ConfigError,
  DuplicateVariableError,
  type EnvironmentProblem,
  FeatureFlagsInvalidOptionsError,
  InvalidEnvironmentError,
  UnknownFlagError,
} from './config.errors.js';
export { EnvironmentFlagProvider } from './flags/environment-flag.provider.js';
export { FeatureFlagsModule } from './flags/feature-flags.module.js';
export { type FeatureFlagsOptions, type FeatureFlagsOptionsInput } from './flags/feature-flags.options.js';
export { FeatureFlags } from './flags/feature-flags.service.js';
export { FEATURE_FLAGS_OPTIONS } from './flags/feature-flags.tokens.js';
export { type RolloutOverride, type ScopedRollout } from './flags/rollout.js';
export {
  defineSettings,
  type RuleProblem,
  type Setting,
  setting,
  type SettingInfo,
  type SettingsDefinition,
  type SettingShape,
  type SettingsRule,
  type SettingValues,
} from './settings/define-settings.js';
export { renderEnvExample } from './settings/env-example.js';
export { type Concerns, type Environment, loadSettings, type SettingsOf } from './settings/load-settings.js';
export {
  listOf,
  oneOf,
  optional,
  rollout,
  scopedRollout,
  share,
  text,
  trueOrFalse,
  url,
  type ValueType,
  wholeNumber,
} from './settings/value-types.js';
