export { type Actor, type AuditedTask, type AuditEvent, type AuditEventKind } from './audit/audit-event.js';
export { AuditTrail } from './audit/audit-trail.js';
export { type AskedBy, purgeDeadLetters, redriveDeadLetters } from './dead-letters/dead-letter.tasks.js';
export { InvalidationList, type ListInvalidationsOptions } from './cdn/invalidation-list.js';
export { type ListedInvalidation } from './cdn/invalidation.entity.js';
export { FeatureOverrides, OVERRIDE_REFRESH_MS } from './feature-overrides.js';
export { type IndexChange } from './index-changes/index-change.tasks.js';
export { IndexChanges, type SubmittedChange } from './index-changes/index-changes.js';
export { type JobOptions, runJob } from './job.js';
export { redactText } from './logging/redaction.js';
export { type Settings } from './settings.js';
export { PlatformModule } from './platform.module.js';
export {
  ConcurrencyGate,
  type Place,
  type RequestPriority,
} from './protection/concurrency/concurrency-gate.js';
export {
  JsonTooDeepError,
  ProtectionError,
  RateLimitExceededError,
  RequestTooLargeError,
  SlowBodyError,
} from './protection/protection.errors.js';
export { clientNetwork, isLoopback } from './protection/rates/client-network.js';
export { type RateCaller, RateLimits } from './protection/rates/rate-limits.js';
export { type RateDecision, type RatePolicy } from './protection/rates/rate-policy.js';
export { onResponseClose } from './responses/on-response-close.js';
export { registerRequestQueries } from './queries/query-scopes.js';
export { type PlatformProcess, type ProcessFigures } from './processes/process-figures.js';
export { ProcessRegister } from './processes/process-register.js';
export { type Role } from './role.js';
export { type ListeningMessage, OPERATIONS_PATHS, runService, type ServiceOptions } from './service.js';
export { traceIdOf } from './tracing/request-spans.js';
