export { purgeDeadLetters, redriveDeadLetters } from './dead-letters/dead-letter.tasks.js';
export { FeatureOverrides, OVERRIDE_REFRESH_MS } from './feature-overrides.js';
export { type JobOptions, runJob } from './job.js';
export { type Settings } from './settings.js';
export { PlatformModule } from './platform.module.js';
export { registerRequestQueries } from './queries/query-scopes.js';
export { type Role } from './role.js';
export { type ListeningMessage, OPERATIONS_PATHS, runService, type ServiceOptions } from './service.js';
